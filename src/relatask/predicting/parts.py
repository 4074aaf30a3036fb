"""Predictions as they are made: parts in a folder beside the output, joined when all are there.

Killed at any time, the same command goes on with the parts that are missing, and writes the same file.
"""

import csv
import json
import logging
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from relatask.core.atomic import atomic_path
from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.core.joined_files import join_tables, join_texts
from relatask.predicting.columns import in_text
from relatask.sources.cells import text_of

_PART = re.compile(r"(\d{6,})-(\d+)-rows-(\d+)-empty\.(csv|parquet)")
_JOB = "job.json"
STDOUT = Path("-")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A part that is done: its file, its rows, and how many of them have no prediction."""

    path: Path
    n_rows: int
    n_empty: int


@dataclass(frozen=True)
class PartFiles:
    """Where parts are written, by any process.

    Attributes:
        folder: that holds them.
        kind: of their files, csv or parquet.
    """

    folder: Path
    kind: str

    def write(self, number: int, rows: pa.Table, n_empty: int) -> None:
        """Write a part, whole or not at all."""
        name = f"{number:06d}-{rows.num_rows}-rows-{n_empty}-empty.{self.kind}"
        with atomic_path(self.folder / name) as temporary:
            if self.kind == "parquet":
                pq.write_table(rows, temporary)
            else:
                with temporary.open("w", encoding="utf-8", newline="") as handle:
                    columns = [_texts(column) for column in rows.columns]
                    csv.writer(handle, lineterminator="\n").writerows(zip(*columns, strict=True))

    def done(self) -> dict[int, Part]:
        """Return the parts that are there, by their numbers."""
        found = {}
        for path in self.folder.iterdir():
            if match := _PART.fullmatch(path.name):
                found[int(match[1])] = Part(path, int(match[2]), int(match[3]))
        return found


class Parts:
    """The parts of one output.

    They lie in a folder beside it, which one process at a time has.
    """

    def __init__(self, output: Path, folder: Path | None = None):
        """Open the folder, or make it.

        Args:
            output: the file that the parts become, or `STDOUT`.
            folder: of the parts; None: beside the output.

        Raises:
            RelataskError: another process has it.
        """
        self.output = output
        self.folder = folder or output.with_name(f"{output.name}.parts")
        kind = "parquet" if output.name.lower().endswith(".parquet") else "csv"
        self.files = PartFiles(self.folder, kind)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.folder / "lock", timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise RelataskError(f"another process writes {output} at this time; wait for it.") from None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the folder unless it holds parts, and let others have it."""
        if self.folder.is_dir() and not self.files.done():
            shutil.rmtree(self.folder)
        self._lock.release()

    def begin(self, job: Mapping[str, Any]) -> None:
        """Keep the parts that are there if they are of this job, and remove them otherwise.

        Args:
            job: all that the parts depend on, as values of JSON.
        """
        path, wanted = self.folder / _JOB, json.loads(json.dumps(job))
        before = None
        if path.is_file():
            try:
                before = read_json(path)
            except RelataskError:  # damaged: then nobody knows what the parts are of
                before = {}
        if before is not None and before != wanted:
            differ = [key for key in wanted if not isinstance(before, dict) or before.get(key) != wanted[key]]
            log.info("%s is of another %s, so predicting begins anew.", self.folder, " and ".join(differ))
        if before != wanted:
            self.discard()
            write_json(path, wanted)
        elif done := self.files.done():
            log.info("%d rows were predicted before.", sum(part.n_rows for part in done.values()))

    def discard(self) -> None:
        """Remove the parts."""
        for part in self.files.done().values():
            part.path.unlink()

    def join(self, header: Sequence[str], n_rows: int) -> int:
        """Make the output of the parts.

        Args:
            header: names of the columns.
            n_rows: how many rows there must be.

        Returns:
            How many rows have no prediction.

        Raises:
            RelataskError: parts are missing, such as when another program removed them.
        """
        parts = [part for _, part in sorted(self.files.done().items())]
        if sum(part.n_rows for part in parts) != n_rows:
            raise RelataskError(f"{self.folder} lost parts while they were made; run the same command again.")
        paths = [part.path for part in parts]
        named = in_text(header)
        if self.output == STDOUT:
            join_texts(paths, named, sys.stdout.buffer, pack=False)
        else:
            with atomic_path(self.output) as temporary, temporary.open("wb") as target:
                if self.files.kind == "parquet":
                    join_tables(paths, header, target)
                else:
                    join_texts(paths, named, target, self.output.name.lower().endswith(".gz"))
        self.discard()
        return sum(part.n_empty for part in parts)


def _texts(column: pa.ChunkedArray) -> list[str]:
    """Return cells as CSV has them; six digits tell apart what float32 tells apart for a reader."""
    cells = column.to_pylist()
    if pa.types.is_floating(column.type):
        return ["" if cell is None or cell != cell else f"{cell:.6g}" for cell in cells]
    return [cell if isinstance(cell, str) else text_of(cell, frozenset()) or "" for cell in cells]
