"""Files that are whole or absent, also after a kill."""

import hashlib
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from relatask.core.processes import may_live, start_of, this_place

MARK = ".part-"  # in the names of files that are being written; the machine and the process follow it
WRITER = re.compile(re.escape(MARK) + r"([0-9a-f]{8})-(\d+)-(\d+)-")
LONGEST = 40  # characters of the name of the file itself; 255 bytes are what file systems allow
DAY = 86_400.0  # seconds
_SWEPT: set[tuple[Path, int]] = set()  # folders, and the process that removed from them what was left behind


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block ends well.

    A reader, or a run started after a kill, sees the old file, the new one, or none: never half of one. What
    killed processes left behind is removed when the first file of a folder is written. The mode of the file
    is that of any new file, as the process' umask says.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            if (swept := (path.parent, os.getpid())) not in _SWEPT:
                _SWEPT.add(swept)
                sweep(path.parent, os.fstat(handle).st_mtime, Path.unlink)
            yield temporary
            os.fsync(handle)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
            os.close(handle)
    except OSError as error:  # e.g. a full disk, of which the system does not say which file
        if error.filename in {None, str(temporary), temporary}:
            error.filename = str(path)
        raise


def temporary_beside(path: Path) -> Path:
    """Return a new name in the folder of `path` that says which process writes there."""
    writer = f"{MARK}{_this_place()}-{os.getpid()}-{start_of(os.getpid())}-"
    return path.with_name(f".{path.name[:LONGEST]}{writer}{uuid.uuid4().hex[:16]}{path.suffix}")


def is_abandoned(temporary: Path, now: float) -> bool:
    """Whether the process that wrote under a name of `temporary_beside` is gone.

    Of a process of this machine the system knows; one of another machine may be at work for a day, whatever
    that machine calls a lock.

    Args:
        temporary: the file or folder.
        now: the time by the clock that dates it, which a file server has of its own.

    Raises:
        OSError: it is gone by now.
    """
    found = WRITER.search(temporary.name)
    if found and found[1] == _this_place():
        return not may_live(int(found[2]), int(found[3]))
    return now - temporary.stat().st_mtime > DAY


def _this_place() -> str:
    return hashlib.sha256(this_place().encode()).hexdigest()[:8]


def sweep(folder: Path, now: float, remove: Callable[[Path], object]) -> None:
    """Let `remove` have what processes that are gone left in `folder`; `now` as of `is_abandoned`."""
    with suppress(OSError):  # a folder that may not be listed may still be written to
        for leftover in folder.glob(f".*{MARK}*"):
            with suppress(OSError):  # it took its place meanwhile, or is not ours to remove
                if is_abandoned(leftover, now):
                    remove(leftover)
