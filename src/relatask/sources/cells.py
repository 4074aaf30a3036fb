"""Cells of tables of the user's own: as texts, as numbers, or missing; and a list of those that are bad."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relatask.core.errors import RelataskError
from relatask.sources.table_files import TableFile, row_in_file

MISSING = frozenset({"", "nan", "na", "n/a", "#n/a", "none", "null", "<na>"})  # compared in lower case
EMPTY = frozenset({""})  # what is missing where texts and names stand: a node may be called NA
SHOWN = 10  # bad cells that a message names
_LONGEST = 40  # characters of a cell in a message


class BadCellError(Exception):
    """A cell of a column of a batch that is not what it must be.

    Attributes:
        row: its position in the batch.
        reason: what is wrong with it, and what to do.
    """

    def __init__(self, row: int, reason: str):
        super().__init__(reason)
        self.row, self.reason = row, reason


class BadCell(NamedTuple):
    """A cell that is not what it must be."""

    row: int  # its position in the table
    column: int  # its position among the columns that are read
    name: str  # of the column
    cell: str
    said: str  # what is wrong with it, e.g. "is not a number"
    way_out: str  # what to do, in the words of an instruction


@dataclass
class BadCells:
    """How many cells of a table are bad, and the first of them, so that no table fills the memory."""

    table: TableFile
    count: int = 0
    first: list[BadCell] = field(default_factory=list)

    def add(self, count: int, first: Iterable[BadCell]) -> None:
        """Note `count` further bad cells, of which `first` holds at least the first `SHOWN`."""
        self.count += count
        self.first = sorted([*self.first, *first])[:SHOWN]

    def raise_any(self) -> None:
        """Raise one error for all of them, if there are any.

        Raises:
            RelataskError: it names the first ones by the row that the file shows, column and content.
        """
        if not self.count:
            return
        shown = [
            f"{row_in_file(self.table, bad.row)}, column {bad.name!r}: {_short(bad.cell)} {bad.said}"
            for bad in self.first
        ]
        ways = "; ".join(dict.fromkeys(bad.way_out for bad in self.first))
        if self.count == 1:
            raise RelataskError(f"{self.table.path}, {shown[0]}; {ways}.")
        more = f"; and {self.count - len(shown):,} more" if self.count > len(shown) else ""
        raise RelataskError(
            f"{self.table.path}: {self.count:,} cells cannot be read: {'; '.join(shown)}{more}. "
            f"{ways[0].upper()}{ways[1:]}."
        )


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= _LONGEST else cell[: _LONGEST - 3] + "...")


def text_of(cell: object, missing: frozenset[str] = MISSING) -> str | None:
    """Return a cell as text without spaces around it, a whole number without a point; None where missing.

    Args:
        cell: of a table.
        missing: what stands for a missing text, in lower case; a cell without a value is missing in any case.
    """
    if cell is None or cell != cell:
        return None
    text = str(int(cell) if isinstance(cell, (float, np.floating)) and cell.is_integer() else cell).strip()
    return None if text.lower() in missing else text


def texts_of(column: pa.Array, missing: frozenset[str] = MISSING) -> tuple[list[str | None], np.ndarray]:
    """Return the different texts of a column of a batch (None where missing) and the place of each cell.

    Args:
        column: of a batch.
        missing: as of `text_of`.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = pa.array([text_of(cell, frozenset()) for cell in column.to_pylist()], pa.string())
    encoded = pc.dictionary_encode(column)
    texts = [text_of(text, missing) for text in encoded.dictionary.to_pylist()]
    codes = pc.fill_null(encoded.indices, len(texts)).to_numpy(zero_copy_only=False)
    return [*texts, None], codes.astype(np.int64)


def number_of(text: str) -> float | None:
    """Return the number that a text is, or None; Python would read 1_0 as 10."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
