"""Columns of numbers of tables of the user's own, none of which may be missing."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from relatask.core.errors import RelataskError
from relatask.sources.cells import BadCellError, number_of, texts_of
from relatask.sources.table_files import TableFile, row_in_file

LARGEST = float(np.finfo(np.float32).max)


def read_numbers(table: TableFile, columns: Sequence[str]) -> np.ndarray:
    """Return columns of a table as float32 [n, d], read batch by batch.

    Raises:
        RelataskError: a cell is empty, or no finite number of 32 bits; names row and column.
    """
    parts, done = [np.empty((0, len(columns)), np.float32)], 0
    for batch in table.batches(list(columns)):
        cells = dict(zip(batch.schema.names, batch.columns, strict=True))
        parts.append(numbers_of_batch(table, cells, columns, done))
        done += batch.num_rows
    return np.concatenate(parts)


def numbers_of_batch(
    table: TableFile, cells: Mapping[str, pa.Array], columns: Sequence[str], done: int
) -> np.ndarray:
    """Return columns of a batch as float32 [n, d]; `done` rows of the table were before it.

    Raises:
        RelataskError: as `read_numbers`.
    """
    found = np.empty((len(cells[columns[0]]), len(columns)), np.float32)
    for place, name in enumerate(columns):
        try:
            found[:, place] = _numbers_of(cells[name])
        except BadCellError as bad:
            row = row_in_file(table, done + bad.row)
            raise RelataskError(f"{table.path}, {row}, column {name!r}: {bad.reason}") from None
    return found


def _numbers_of(column: pa.Array) -> np.ndarray:
    """Return the numbers of a column of a batch, float64."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    else:
        texts, codes = texts_of(column)
        found = [None if text is None else number_of(text) for text in texts]
        values = np.array([np.nan if number is None else number for number in found])[codes]
    if (bad := ~(np.abs(values) <= LARGEST)).any():
        row = int(np.argmax(bad))
        cell = column[row].as_py()
        said = "the cell is empty" if cell in (None, "") else f"{cell!r} is no finite number of 32 bits"
        raise BadCellError(row, f"{said}; write a number, or leave the column out.")
    return values
