"""The rows of a file that shall be predicted, some at a time."""

import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from relatask.core.errors import RelataskError
from relatask.models.ensemble import Ensemble
from relatask.models.prediction import Model
from relatask.sources.cells import text_of
from relatask.sources.table_description import describe_table
from relatask.sources.table_files import TableFile, find_column, open_table

STDIN = Path("-")
ROWS = 2048  # that are predicted at a time, and lost by a kill at most for each process
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rows:
    """Rows of a table, which column of them is read, and which rows are wanted.

    Attributes:
        table: the file.
        column: its column of SMILES or texts.
        start: number of the first wanted row, from 0.
        end: number behind the last one.
    """

    table: TableFile
    column: str
    start: int
    end: int

    def chunks(self, wanted: Callable[[int], bool]) -> Iterator[tuple[int, pa.Table]]:
        """Yield (number of the chunk, its rows), those that are wanted of all, `ROWS` rows each but the last.

        Args:
            wanted: says of the number of a chunk, from 0, whether it is.
        """
        number, before, held = 0, 0, []
        for batch in self.table.batches(self.table.names):
            if before >= self.end:
                break
            start, end = max(self.start - before, 0), min(self.end - before, batch.num_rows)
            before += batch.num_rows
            if start >= end:
                continue
            held.append(batch.slice(start, end - start))
            while sum(part.num_rows for part in held) >= ROWS:
                rows = pa.Table.from_batches(held)
                if wanted(number):
                    yield number, rows.slice(0, ROWS)
                held, number = rows.slice(ROWS).to_batches(), number + 1
        if held and wanted(number):
            yield number, pa.Table.from_batches(held)

    def part(self, number: int, n_parts: int) -> "Rows":
        """Return the rows of one of so many parts, the first of which is 1.

        Chunks are the same as in the whole file, and so are the last digits of what is predicted of them.
        """
        n_chunks, n_rows = self.n_chunks, len(self)
        start, end = (min(n_chunks * done // n_parts * ROWS, n_rows) for done in (number - 1, number))
        return replace(self, start=self.start + start, end=self.start + end)

    def __len__(self) -> int:
        """How many rows are wanted."""
        return self.end - self.start

    @property
    def n_chunks(self) -> int:
        """How many chunks there are."""
        return -(-len(self) // ROWS)


def read_column(model: Model | Ensemble, place: Path) -> str:
    """Return the column that a model reads, `smiles` or `text`.

    Raises:
        RelataskError: it reads more.
    """
    if not model.column:
        raise RelataskError(
            f"{place} reads more than a column of SMILES or texts; ask it in Python, by a table with the "
            "columns that docs/models.md names."
        )
    return model.column


def rows_of(path: Path, named: str | None, usual: str) -> Rows:
    """Look at a file: its columns, which of them holds the items, and how many rows it has.

    Args:
        path: of the file.
        named: the column that the user names, if any.
        usual: the column that the model reads; where SMILES have another name, their column is found.

    Raises:
        RelataskError: there is no such file or column, or the file cannot be read.
    """
    table = open_table(path, index=True)
    wanted = named or usual
    if named is None and usual == "smiles" and usual not in {name.strip().lower() for name in table.names}:
        wanted = describe_table(table).smiles_column or usual
        if wanted != usual:
            log.info("%s: SMILES are read from %r; --smiles-columns names another column.", path, wanted)
    option = "--smiles-columns" if usual == "smiles" else "--column"
    column = find_column(table, wanted, option)
    return Rows(table, column, 0, table.count(column))


def items_in(column: pa.Array | pa.ChunkedArray) -> list[str]:
    """Return the SMILES or texts of a column, "" where nothing stands."""
    return [text_of(cell, frozenset()) or "" for cell in column.to_pylist()]


def copied_stdin(folder: Path, column: str) -> Path:
    """Return a file that holds what comes through a pipe: a table with a header, or lines of SMILES.

    Args:
        folder: gets the file.
        column: of the items, which the header of a table names in some spelling.
    """
    path = folder / "stdin"
    with path.open("wb") as target:
        shutil.copyfileobj(sys.stdin.buffer, target, 1 << 20)
    with path.open("rb") as handle:
        first = handle.readline(1 << 20).decode("utf-8", "replace")
    cells = [cell.strip(' "\r\n').lower() for cell in first.replace(";", ",").replace("\t", ",").split(",")]
    return path.replace(path.with_suffix(".csv" if column.lower() in cells or "smiles" in cells else ".smi"))
