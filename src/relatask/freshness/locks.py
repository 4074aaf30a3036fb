"""Which running workflows read and write which files below results/.

Snakemake keeps its locks in the folder where it was started, does not see a second folder with the same
results, and leaves them behind when it is killed. These lie in the results and name their process: those of a
process that has ended count for nothing.
"""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.core.process import Process


class Locks:
    """Locks of this process, and those of others, in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.own = folder / f"{uuid.uuid4().hex}.json"
        self.files: dict[str, list[str]] = {}

    def add(self, kind: str, files: Iterable[str]) -> None:
        """Lock files as "input", which others may read, or as "output", which they may not touch."""
        self.files[kind] = list(files)
        write_json(self.own, {**asdict(Process.this()), "files": self.files})

    def of_others(self) -> Iterator[tuple[Process, str, str]]:
        """Yield process, kind and file of every lock of another process that may still run."""
        for path in sorted(self.folder.glob("*.json")):
            if path == self.own:
                continue
            try:
                record = read_json(path)
                files = record.pop("files")
                owner = Process(**record)
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
