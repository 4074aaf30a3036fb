"""Models of several splits of one method, as one: a folder with ensemble.json and a folder for each member.

A member is the model of a run, in the form of `models.record`, so that each predicts by itself too.
"""

import errno
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from relatask import __version__
from relatask.core.atomic import sweep, temporary_beside
from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of, write_bytes, write_json
from relatask.models.record import ENSEMBLE, ENSEMBLE_FORMAT, NAME, require_replaceable


def write_ensemble(
    folder: Path, members: Sequence[Path], facts: Mapping[str, Any], files: Mapping[str, bytes] | None = None
) -> None:
    """Make a folder of models, in the place of one that is there, whole or not at all.

    Files are linked where the disk allows it, else copied: the workflow replaces files and changes none.

    Args:
        folder: to make.
        members: folders of models, in order.
        facts: what ensemble.json says besides, e.g. the study.
        files: name -> content of what lies beside it, e.g. calibration.json; it names their digests.

    Raises:
        RelataskError: a member is no model, or the folder holds something else.
    """
    require_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent, time.time(), partial(shutil.rmtree, ignore_errors=True))
    made = temporary_beside(folder)
    entries = []
    try:
        for number, member in enumerate(members):
            if not (member / NAME).is_file():
                raise RelataskError(
                    f"{member} holds no model ({NAME}); train it again with keep_models: all."
                )
            inside = f"members/{number:03d}"
            shutil.copytree(member, made / inside, copy_function=_link)
            entries.append({"folder": inside, "sha256": sha256_of(member / NAME)})
        for name, content in (files or {}).items():
            write_bytes(made / name, content)
        digests = {name: sha256_of(made / name) for name in files or ()}
        own = {"format": ENSEMBLE_FORMAT, "relatask": __version__, "files": digests, "members": entries}
        write_json(made / ENSEMBLE, {**facts, **own})
        _replace(folder, made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)


def _replace(folder: Path, made: Path) -> None:
    """Put a folder in the place of another one, of which another process may do the same."""
    while True:
        old = temporary_beside(folder)
        with suppress(FileNotFoundError):
            folder.rename(old)
        try:
            made.rename(folder)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
        else:
            return
        finally:
            shutil.rmtree(old, ignore_errors=True)
