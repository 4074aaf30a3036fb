"""Models of several splits of one method, as one: a folder with ensemble.json and a folder for each member.

A member is the model of a run, in the form of `models.record`, so that each predicts by itself too.
"""

import errno
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from relatask import __version__
from relatask.core.atomic import sweep, temporary_beside
from relatask.core.errors import RelataskError
from relatask.core.files import read_fields, sha256_of, write_json
from relatask.models.items import as_items
from relatask.models.loading import load_model
from relatask.models.new_items import NewItems
from relatask.models.prediction import REASON, Model
from relatask.models.record import ENSEMBLE, NAME, require_replaceable

FORMAT = 1
SPREAD = "_unc"  # of a task's name: the column of the spread over members


def write_ensemble(folder: Path, members: Sequence[Path], facts: dict[str, Any]) -> None:
    """Make a folder of models, in the place of one that is there, whole or not at all.

    Files are linked where the disk allows it, else copied: the workflow replaces files and changes none.

    Args:
        folder: to make.
        members: folders of models, in order.
        facts: what ensemble.json says besides, e.g. the study.

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
        write_json(made / ENSEMBLE, {"format": FORMAT, "relatask": __version__, **facts, "members": entries})
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


class Ensemble:
    """The members of an ensemble, asked together: the mean of what they say, and how much they differ."""

    def __init__(self, folder: Path, members: Sequence[Model]):
        self.folder, self.members = folder, members

    @property
    def digest(self) -> str:
        """SHA-256 of its ensemble.json, which holds those of its members."""
        return sha256_of(self.folder / ENSEMBLE)

    @property
    def task_ids(self) -> list[str]:
        """Ids of the tasks that a member predicts, in the members' order."""
        return list(dict.fromkeys(task for member in self.members for task in member.task_ids))

    @property
    def names(self) -> dict[str, str]:
        """Task id -> name of the task, as its source writes it."""
        return {task: name for member in self.members for task, name in member.names.items()}

    @property
    def columns(self) -> list[str]:
        """Columns of a prediction."""
        return [*(name for task in self.task_ids for name in (task, f"{task}{SPREAD}")), REASON]

    @property
    def column(self) -> str:
        """The column of items that a plain list is, as of its members."""
        return self.members[0].column

    def predict(self, items: Sequence[str] | pd.DataFrame) -> pd.DataFrame:
        """Return what the members say of items, a row for each in their order.

        Args:
            items: as of `Model.predict`.

        Returns:
            For each task its mean over members and, as `{task}_unc`, their standard deviation: of
            probabilities or of values in the task's unit. A class is the one that most members name, the
            first by the alphabet where several are named as often, and its `_unc` the share of members that
            name another. Then `reason`.

        Raises:
            RelataskError: the items are of another kind.
        """
        table, reasons = as_items(items, self.members[0].trained)  # once for all members
        usable = np.flatnonzero([reason is None for reason in reasons])
        found = self._said(NewItems(table)) if len(usable) else []
        columns: dict[str, pd.Series] = {}
        for task in self.task_ids:
            said = [answer[task] for answer in found if task in answer]
            for name, values in zip((task, f"{task}{SPREAD}"), _joined(said), strict=True):
                column = np.full(len(reasons), np.nan, object)
                column[usable] = values
                columns[name] = pd.Series(column).infer_objects()
        frame = pd.DataFrame({**columns, REASON: pd.Series(reasons, dtype=object)})
        if isinstance(items, pd.DataFrame):
            frame.index = items.index
        return frame

    def _said(self, items: NewItems) -> list[pd.DataFrame]:
        """Return what each member says of items, which are read once for all."""
        unknown = [torch.full((len(items), len(member.task_ids)), torch.nan) for member in self.members]
        return [member.answers(items, labels) for member, labels in zip(self.members, unknown, strict=True)]


def _joined(said: Sequence[pd.Series]) -> tuple[np.ndarray, np.ndarray]:
    """Return what members say of a task together, and how much they differ."""
    if not said:
        return np.empty(0), np.empty(0)
    answers = pd.concat([answer.reset_index(drop=True) for answer in said], axis=1)
    if all(answer.dtype.kind == "f" for answer in said):
        spread = answers.std(axis=1, ddof=1) if len(said) > 1 else answers.iloc[:, 0] * np.nan
        return answers.mean(axis=1).to_numpy(), spread.to_numpy()
    chosen = answers.mode(axis=1)[0]
    return chosen.to_numpy(), answers.ne(chosen, axis=0).mean(axis=1).to_numpy()


def load_ensemble(folder: Path, device: str = "cpu") -> Ensemble:
    """Load an ensemble.

    Raises:
        RelataskError: ensemble.json or a member is damaged, absent or of a format that is not read.
    """
    path = folder / ENSEMBLE
    content = read_fields(path, format=int, members=list)
    if content["format"] != FORMAT:
        raise RelataskError(
            f"{path} has format {content['format']}; load it with another version of relatask."
        )
    members = []
    for entry in content["members"]:
        inside = entry.get("folder") if isinstance(entry, dict) else None
        place = folder / str(inside)
        if not inside or folder.resolve() not in place.resolve().parents:
            raise RelataskError(f"{path} names {inside!r}, which is no part of its folder; do not trust it.")
        if not (place / NAME).is_file() or sha256_of(place / NAME) != entry.get("sha256"):
            raise RelataskError(f"{place} is not the model that {path} names; copy the whole folder anew.")
        members.append(Model(load_model(place, device)))
    if not members:
        raise RelataskError(f"{path} names no model; copy the whole folder anew, or train again.")
    return Ensemble(folder, members)
