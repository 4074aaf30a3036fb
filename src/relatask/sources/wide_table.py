"""Tables of molecules x tasks: text columns that name the molecule, cells that become labels."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from relatask.config import ActiveRule
from relatask.core.errors import RelataskError
from relatask.sources.table_files import TableFile

MISSING = frozenset({"", "nan", "na", "n/a", "#n/a", "none", "null", "<na>"})  # compared in lower case


@dataclass
class WideTable:
    """What `read_wide` found: text columns by name (None where empty) and labels in long form."""

    texts: dict[str, list[str | None]]
    labels: pd.DataFrame  # row_position int64, task int32, value float64 (0 or 1)
    n_rows: int


def read_wide(
    table: TableFile, text_columns: Sequence[str], task_columns: Sequence[str], active: ActiveRule | None
) -> WideTable:
    """Read a table batch by batch; memory grows with the measured cells, not with rows x tasks.

    Args:
        table: the opened file.
        text_columns: columns to keep as text, e.g. the SMILES.
        task_columns: columns of labels; their order numbers the tasks.
        active: which values are label 1; without it the values must be 0 and 1.

    Raises:
        RelataskError: a cell is not a number, or without `active` neither 0 nor 1; names row and column.
    """
    texts: dict[str, list[str | None]] = {name: [] for name in text_columns}
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    done = 0
    for batch in table.batches(list(dict.fromkeys([*text_columns, *task_columns]))):
        cells = dict(zip(batch.schema.names, batch.columns, strict=True))
        for name in text_columns:
            texts[name].extend(_as_text(cell) for cell in cells[name].to_pylist())
        values = np.full((batch.num_rows, len(task_columns)), np.nan)
        for task, name in enumerate(task_columns):
            try:
                values[:, task] = _labels_of(cells[name], active)
            except _BadCellError as bad:
                raise RelataskError(
                    f"{table.path}, data row {done + bad.row + 1}, column {name!r}: {bad.reason}"
                ) from None
        rows, tasks = np.nonzero(~np.isnan(values))
        parts.append((rows + done, tasks.astype(np.int32), values[rows, tasks]))
        done += batch.num_rows
    return WideTable(texts, _long(parts), done)


def _long(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> pd.DataFrame:
    parts = parts or [(np.empty(0), np.empty(0), np.empty(0))]
    rows, tasks, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return pd.DataFrame(
        {
            "row_position": rows.astype(np.int64),
            "task": tasks.astype(np.int32),
            "value": values.astype(np.float64),
        }
    )


class _BadCellError(Exception):
    def __init__(self, row: int, reason: str):
        self.row, self.reason = row, reason


def _as_text(cell: object) -> str | None:
    text = "" if cell is None else str(cell).strip()
    return None if text.lower() in MISSING else text


def _labels_of(column: pa.Array, active: ActiveRule | None) -> np.ndarray:
    """Labels (float64, NaN = missing) of one column of a batch."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        # Each different text is parsed once: a column of labels has a handful of them.
        encoded = pc.dictionary_encode(column)
        codes = pc.fill_null(encoded.indices, len(encoded.dictionary)).to_numpy(zero_copy_only=False)
        return _binarise_each(encoded.dictionary.to_pylist(), codes, active)
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        column = column.cast(pa.int8())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise _BadCellError(
            0, f"the column holds {kind}, not numbers; list the task columns in task_columns."
        )
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    distinct, codes = np.unique(values, return_inverse=True)
    return _binarise_each(distinct.tolist(), codes, active)


def _binarise_each(distinct: list, codes: np.ndarray, active: ActiveRule | None) -> np.ndarray:
    """Labels of the cells `distinct[codes]`; a code past the end is missing."""
    labels, mistakes = [], {}
    for code, cell in enumerate(distinct):
        try:
            labels.append(_label(cell, active))
        except ValueError as error:
            labels.append(math.nan)
            mistakes[code] = str(error)
    if mistakes:
        rows = np.flatnonzero(np.isin(codes, list(mistakes)))
        raise _BadCellError(int(rows[0]), mistakes[int(codes[rows[0]])])
    return np.array([*labels, math.nan])[codes]


def _label(cell: str | float, active: ActiveRule | None) -> float:
    """Return 1.0, 0.0 or NaN (missing) for one cell; ValueError says what is wrong with it."""
    if isinstance(cell, str):
        if (text := cell.strip()).lower() in MISSING:
            return math.nan
        value = _number(text)
    else:
        value = cell
    if value is not None and math.isnan(value):  # also -nan, which is in no list of spellings
        return math.nan
    if value is None or math.isinf(value):
        raise ValueError(
            f"{cell!r} is not a number; leave the cell empty where nothing was measured, or name the "
            "label columns in task_columns (and the molecule's name in id_column)."
        )
    if active is not None:
        return float(activity_test(active)(value))
    if value not in (0.0, 1.0):
        raise ValueError(
            f"{cell!r} is neither 0 nor 1; give `active` (at_least or at_most) to make labels of "
            "measured values, or name the label columns in task_columns."
        )
    return value


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)  # Python reads 1_0 as 10
    except ValueError:
        return None


def activity_test(active: ActiveRule) -> Callable[[float], bool]:
    """Return the function that says whether a measured value is active (bounds included)."""
    if active.at_least is not None:
        bound = active.at_least
        return lambda value: value >= bound
    limit = active.at_most
    assert limit is not None  # ActiveRule holds exactly one bound
    return lambda value: value <= limit
