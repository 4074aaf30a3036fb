"""The content of files and folders as a digest, which is computed again only where their inode changed."""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from relatask.core.files import seal_of, sha256_of
from relatask.freshness.decision import MISSING

SETTLING = 2_000_000_000  # nanoseconds by which the coarsest file systems round times


@dataclass(frozen=True)
class FileState:
    """Content of one or several files; `seal` tells whether they were touched since it was computed."""

    digest: str
    seal: str


def state_of(paths: Sequence[str], known: FileState | None = None) -> FileState:
    """Return the state of files or folders, all together; `known` saves reading them if its seal still holds.

    The seal is of all seals of the files, see `core.files.seal_of`.
    """
    files = [found for path in paths for found in _files(path)]
    try:
        seal = _joined([seal_of(file) for _, file in files])
        if known is not None and known.seal == seal:
            return known
        digests = [sha256_of(file) for _, file in files]
        names = [name for name, _ in files]
        digest = digests[0] if names == [""] else _joined(map(" ".join, zip(names, digests, strict=True)))
    except FileNotFoundError:
        return FileState(MISSING, "")
    return FileState(digest, seal)


def settled(paths: Sequence[str], state: FileState) -> FileState:
    """Return a state whose seal counts for nothing if a file changed a moment ago.

    A second change within the precision of the file system's clock would leave the seal as it is.
    """
    now = time.time_ns()
    files = [file for path in paths for _, file in _files(path) if file.exists()]
    fresh = any(abs(now - file.stat().st_ctime_ns) < SETTLING for file in files)
    return FileState(state.digest, "") if fresh else state


def _files(path: str) -> Iterator[tuple[str, Path]]:
    """Yield a file with an empty name, or all files of a folder, through links too, with their names in it.

    Links that lead nowhere, as editors leave them, are no files.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - a Path takes as long as the question, 100,000 times
        yield "", Path(path)
        return
    seen = set()
    for folder, folders, names in os.walk(path, followlinks=True):
        folders[:] = sorted(name for name in folders if os.path.realpath(Path(folder, name)) not in seen)
        seen.add(os.path.realpath(folder))
        for name in sorted(names):
            file = Path(folder, name)
            if file.exists():
                yield file.relative_to(path).as_posix(), file


def _joined(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()[:32]
