"""The package's code as this process found it when it started, before it imported what decides numbers.

A module may be imported minutes later. What was written meanwhile, also if it was changed back, is not what
the digests of the code describe.
"""

import importlib.util
import py_compile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.files import seal_of

PACKAGE = Path(__file__).parents[1]
HEADER = 8  # bytes of a compiled file: magic number and flags (PEP 552)
CHECKED_HASH = 3  # the flags of one that Python compares with the source by content
_SEALS: dict[str, str] = {}  # file, relative to the package -> its seal; empty of one that is gone


def remember(package: Path = PACKAGE) -> None:
    """Note the state of each source, and see to it that none of them is taken for another one.

    Python takes a compiled file for current if its source has the date, in seconds, and the size of before.
    After `cp -p`, rsync or an unpacked archive that may be another source: the digest of the code would say
    "new" and the old code would run. Such a file is compiled again, and compared by content from then on.
    """
    for source in package.rglob("*.py"):
        _SEALS[source.relative_to(package).as_posix()] = _seal(source)
        compiled = Path(importlib.util.cache_from_source(str(source)))
        with suppress(OSError, py_compile.PyCompileError):  # absent, or not ours to write
            with compiled.open("rb") as handle:
                flags = int.from_bytes(handle.read(HEADER)[4:], "little")
            if flags != CHECKED_HASH:
                mode = py_compile.PycInvalidationMode.CHECKED_HASH
                py_compile.compile(str(source), doraise=True, invalidation_mode=mode)


def require_unchanged(files: Iterable[str], package: Path = PACKAGE) -> None:
    """Refuse to go on where one of `files`, relative to the package, was written since the process started.

    Raises:
        RelataskError: names the file.
    """
    for file in files:
        if file in _SEALS and _SEALS[file] != _seal(package / file):
            raise RelataskError(f"{package / file} changed while its code ran; run the workflow again.")


def _seal(source: Path) -> str:
    try:
        return seal_of(source)
    except FileNotFoundError:
        return ""
