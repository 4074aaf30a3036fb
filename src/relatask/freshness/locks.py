"""Which running workflows read and write which files below results/.

Snakemake keeps its locks in the folder where it was started, does not see a second folder with the same
results, and leaves them behind when it is killed. These lie in the results and name their process: those of a
process that has ended count for nothing.
"""

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.core.processes import may_live, start_of, this_place


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

    def add(self, kind: str, files: Iterable[str]) -> None:
        """Lock files as "input", which others may read, or as "output", which they may not touch."""
        self.files[kind] = list(files)
        write_json(self.own, {**asdict(Owner.this()), "files": self.files})

    def of_others(self) -> Iterator[tuple[Owner, str, str]]:
        """Yield process, kind and file of every lock of another process that may still run."""
        for path in sorted(self.folder.glob("*.json")):
            if path == self.own:
                continue
            try:
                record = read_json(path)
                files = record.pop("files")
                owner = Owner(**record)
                if owner.has_ended():
                    raise ValueError("its process has ended")
            except FileNotFoundError:
                continue
            except (RelataskError, ValueError, TypeError, KeyError, AttributeError):
                with suppress(OSError):
                    path.unlink()
                continue
            yield from ((owner, kind, file) for kind in files for file in files[kind])

    def release(self) -> None:
        """Give up the locks of this process."""
        self.files.clear()
        self.own.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all locks, also those of others."""
        for path in self.folder.glob("*.json"):
            path.unlink(missing_ok=True)
