"""Files that are whole or absent, also after a kill."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

MARK = ".part-"  # in the names of files that are being written


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block ends well.

    A reader, or a run started after a kill, sees the old file, the new one, or none: never half of one. What
    killed processes left behind is removed when the first file of a folder is written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # a folder that may not be listed may still be written to
        _sweep(path.parent, os.getpid())
    handle, temporary = _open_temporary(path)
    try:
        yield temporary
        temporary.chmod(0o644)  # mkstemp makes files only their owner may read
        os.fsync(handle)
        temporary.replace(path)
    except OSError as error:  # e.g. a full disk, of which the system does not say which file
        error.filename = error.filename or str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def _open_temporary(path: Path) -> tuple[int, Path]:
    """Make a temporary file with a lock, which ends with this process at the latest."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}{MARK}", suffix=path.suffix, dir=path.parent)
        _locked(handle)
        if Path(name).exists():  # else another process swept it before it was locked
            return handle, Path(name)
        os.close(handle)


def _locked(handle: int) -> bool:
    """Take the lock of an open file; where another process has it, or there are no locks, say so."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@lru_cache(maxsize=256)
def _sweep(folder: Path, _process: int) -> None:
    """Remove temporary files of `folder` that no living process holds."""
    for leftover in folder.glob(f".*{MARK}*"):
        with suppress(OSError):  # it took its place meanwhile, or is not ours to remove
            handle = os.open(leftover, os.O_RDWR)
            if _locked(handle):
                leftover.unlink()
            os.close(handle)
