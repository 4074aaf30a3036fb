"""Tables of molecules x tasks: text columns that name the molecule, cells that become labels."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from relatask.core.errors import RelataskError
from relatask.core.kinds import Kind
from relatask.sources.active import ActiveRule, activity_test
from relatask.sources.cells import EMPTY, MISSING, BadCellError, number_of, text_of, texts_of
from relatask.sources.table_files import TableFile, row_in_file


@dataclass
class WideTable:
    """What `read_wide` found: text columns by name (None where empty) and labels in long form."""

    texts: dict[str, list[str | None]]
    labels: pd.DataFrame  # row_position int64, task int32, value float64, and bound where some task is real
    n_rows: int
    classes: dict[int, list[str]] = field(default_factory=dict)  # position of a task -> names of its classes


def read_wide(
    table: TableFile,
    text_columns: Sequence[str],
    task_columns: Sequence[str],
    active: ActiveRule | None,
    kinds: Sequence[Kind] | None = None,
    names: Collection[str] = (),
) -> WideTable:
    """Read a table batch by batch; memory grows with the measured cells, not with rows x tasks.

    Args:
        table: the opened file.
        text_columns: columns to keep as text, e.g. the SMILES.
        task_columns: columns of labels; their order numbers the tasks.
        active: which values are label 1; without it the values of binary tasks must be 0 and 1.
        kinds: of the tasks; default: all binary.
        names: text columns of which only an empty cell is missing, because NA or None may be a name there.

    Raises:
        RelataskError: a cell is not a number, or of a binary task without `active` neither 0 nor 1; names row
            and column.
    """
    texts: dict[str, list[str | None]] = {name: [] for name in text_columns}
    parts: list[tuple[np.ndarray, ...]] = []
    kinds = list(kinds or ["binary"] * len(task_columns))
    seen: dict[int, dict[str, int]] = {task: {} for task, kind in enumerate(kinds) if kind == "class"}
    done = 0
    for batch in table.batches(list(dict.fromkeys([*text_columns, *task_columns]))):
        cells = dict(zip(batch.schema.names, batch.columns, strict=True))
        for name in text_columns:
            missing = EMPTY if name in names else MISSING
            texts[name].extend(text_of(cell, missing) for cell in cells[name].to_pylist())
        values = np.full((batch.num_rows, len(task_columns)), np.nan)
        signs = np.zeros(values.shape if "real" in kinds else (0, 0), np.int8)
        for task, name in enumerate(task_columns):
            try:
                if kinds[task] == "real":
                    values[:, task], signs[:, task] = _measured(cells[name])
                elif kinds[task] == "class":
                    values[:, task] = _classes(cells[name], seen[task])
                else:
                    values[:, task] = _labels_of(cells[name], active)
            except BadCellError as bad:
                row = row_in_file(table, done + bad.row)
                raise RelataskError(f"{table.path}, {row}, column {name!r}: {bad.reason}") from None
        rows, tasks = np.nonzero(~np.isnan(values))
        own = (rows + done, tasks.astype(np.int32), values[rows, tasks])
        parts.append((*own, signs[rows, tasks]) if "real" in kinds else own)
        done += batch.num_rows
    labels, classes = _long(parts, "real" in kinds), {}
    for task, codes in seen.items():
        names = sorted(codes, key=in_order)
        place = np.array([names.index(name) for name in codes], np.float64)
        of_task = (labels["task"] == task).to_numpy()
        labels.loc[of_task, "value"] = place[labels["value"].to_numpy()[of_task].astype(np.int64)]
        classes[task] = names
    return WideTable(texts, labels, done, classes)


def _long(parts: list[tuple[np.ndarray, ...]], bounded: bool) -> pd.DataFrame:
    parts = parts or [(np.empty(0),) * (4 if bounded else 3)]
    rows, tasks, values, *signs = (np.concatenate(column) for column in zip(*parts, strict=True))
    columns = {
        "row_position": rows.astype(np.int64),
        "task": tasks.astype(np.int32),
        "value": values.astype(np.float64),
    }
    if signs:
        columns["bound"] = np.array(["<", "=", ">"], object)[signs[0].astype(np.int64) + 1]
    return pd.DataFrame(columns)


def in_order(name: str) -> tuple[bool, int, str]:
    """Order of classes: whole numbers by their value, then texts by the alphabet."""
    return (False, int(name), "") if re.fullmatch(r"-?[0-9]{1,18}", name) else (True, 0, name)


def _classes(column: pa.Array, seen: dict[str, int]) -> np.ndarray:
    """Classes (float64, NaN = missing) of a batch as numbers in `seen`, to which new ones are added."""
    texts, codes = texts_of(column)
    numbers = [math.nan if text is None else float(seen.setdefault(text, len(seen))) for text in texts]
    return np.array(numbers)[codes]


_MEASURED = re.compile(r"(<=|>=|[<>=≤≥~]?)\s*([^<>=≤≥~\s].*)")
_SIGN = {"<": -1, "<=": -1, "≤": -1, ">": 1, ">=": 1, "≥": 1}


def _measured(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Measured values (float64, NaN = missing) of a column of a batch, and signs of bounds (int8)."""
    texts, codes = texts_of(column)
    values, signs = np.full(len(texts), np.nan), np.zeros(len(texts), np.int8)
    for place, text in enumerate(texts):
        found = _MEASURED.fullmatch(text) if text is not None else None
        number = number_of(found[2]) if found else None
        if found and number is not None and math.isfinite(number):
            values[place], signs[place] = number, _SIGN.get(found[1], 0)
        elif text is not None and not (number is not None and math.isnan(number)):
            raise BadCellError(
                int(np.argmax(codes == place)),
                f"{text!r} is not a measured value; write a finite number, with < or > before it where only "
                "a bound is known, and leave the cell empty where nothing was measured.",
            )
    return values[codes], signs[codes]


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
        raise BadCellError(0, f"the column holds {kind}, not numbers; list the task columns in task_columns.")
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
        raise BadCellError(int(rows[0]), mistakes[int(codes[rows[0]])])
    return np.array([*labels, math.nan])[codes]


def _label(cell: str | float, active: ActiveRule | None) -> float:
    """Return 1.0, 0.0 or NaN (missing) for one cell; ValueError says what is wrong with it."""
    if isinstance(cell, str):
        if (text := cell.strip()).lower() in MISSING:
            return math.nan
        value = number_of(text)
    else:
        value = cell
    if value is not None and math.isnan(value):  # also -nan, which is in no list of spellings
        return math.nan
    if value is not None and math.isinf(value):
        raise ValueError(
            f"{cell!r} is not finite; write a finite number, or leave the cell empty where nothing was "
            "measured."
        )
    if value is None:
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
