"""Which running workflows read and write which files below results/.

Snakemake keeps its locks in the folder where it was started, does not see a second folder with the same
results, and leaves them behind when it is killed. These lie in the results and name their process: those of a
process that has ended count for nothing.
"""

import fcntl
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.core.processes import may_live, start_of, this_place

LOCKS = ".locks"  # beside the records; no data set, source or study has a dot in its name
ENTRANCE = "entrance"  # the file that is locked while a process enters


@dataclass(frozen=True)
class Owner:
    """A process that holds locks.

    Attributes:
        place: where its number means a process, see `this_place`.
        pid: its number.
        started: when it started, see `start_of`.
    """

    place: str
    pid: int
    started: int

    @classmethod
    def this(cls) -> "Owner":
        """Return the running process."""
        return cls(this_place(), os.getpid(), start_of(os.getpid()))

    @property
    def text(self) -> str:
        """How a message calls it."""
        return f"process {self.pid} on {self.place.partition(' ')[0]}"

    def has_ended(self) -> bool:
        """Whether it is known to have ended; of another machine or container nothing is known."""
        return self.place == this_place() and not may_live(self.pid, self.started)


class Locks:
    """Locks of this process, and those of others, in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.own = folder / f"{uuid.uuid4().hex}.json"
        self.files: dict[str, list[str]] = {}

    @contextmanager
    def entrance(self) -> Iterator[None]:
        """Let one process at a time add its locks and look at those of others.

        Where the file system has no locks, two that enter at once see each other and both give up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ENTRANCE).open("a") as handle:
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def add(self, kind: str, files: Iterable[str]) -> None:
        """Lock files as "input", which others may read, or as "output", which they may not touch."""
        self.files[kind] = list(files)
        write_json(self.own, {**asdict(Owner.this()), "files": self.files})

    def of_others(self) -> Iterator[tuple[Owner, str, str]]:
        """Yield process, kind and file of every lock of another process that may still run."""
        for path in sorted(self.folder.glob("*.json")):
            if path == self.own or not path.is_file():
                continue
            try:
                owner, files = _read(path)
            except (RelataskError, ValueError, TypeError, KeyError, AttributeError):
                owner, files = None, []  # of a process that was killed while it wrote
            if owner is None or owner.has_ended():
                with suppress(OSError):
                    path.unlink()
            else:
                yield from ((owner, kind, file) for kind, file in files)

    def release(self) -> None:
        """Give up the locks of this process."""
        self.files.clear()
        self.own.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all locks, also those of others."""
        for path in self.folder.glob("*.json"):
            path.unlink(missing_ok=True)


def _read(path: Path) -> tuple[Owner, list[tuple[str, str]]]:
    record = read_json(path)
    owner = Owner(str(record["place"]), int(record["pid"]), int(record["started"]))
    return owner, [(str(kind), str(file)) for kind, files in record["files"].items() for file in files]
