"""Cells of tables of the user's own: as texts, as numbers, or missing."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MISSING = frozenset({"", "nan", "na", "n/a", "#n/a", "none", "null", "<na>"})  # compared in lower case
EMPTY = frozenset({""})  # what is missing where texts and names stand: a node may be called NA


class BadCellError(Exception):
    """A cell of a column of a batch that is not what it must be.

    Attributes:
        row: its position in the batch.
        reason: what is wrong with it, and what to do.
    """

    def __init__(self, row: int, reason: str):
        super().__init__(reason)
        self.row, self.reason = row, reason


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


def texts_of(column: pa.Array) -> tuple[list[str | None], np.ndarray]:
    """Return the different texts of a column of a batch (None where missing) and the place of each cell."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = pa.array([text_of(cell, frozenset()) for cell in column.to_pylist()], pa.string())
    encoded = pc.dictionary_encode(column)
    texts = [text_of(text) for text in encoded.dictionary.to_pylist()]
    codes = pc.fill_null(encoded.indices, len(texts)).to_numpy(zero_copy_only=False)
    return [*texts, None], codes.astype(np.int64)


def number_of(text: str) -> float | None:
    """Return the number that a text is, or None; Python would read 1_0 as 10."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
