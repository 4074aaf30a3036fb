"""Tables of items x tasks: text columns that name the item, cells that become labels."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from relatask.data.raw_table import SIGNS
from relatask.sources.cells import EMPTY, MISSING, BadCells, text_of
from relatask.sources.label_cells import LabelColumn, bad_cells, said_of
from relatask.sources.table_files import TableFile


@dataclass
class WideTable:
    """What `read_wide` found.

    Attributes:
        texts: text columns by name, None where empty.
        labels: in long form: row_position int64, task int32, value float64, and bound where not all are "=".
        n_rows: of the table.
        classes: position of a task of kind class -> names of its classes.
        notes: how often which texts were read as labels, and as not measured.
    """

    texts: dict[str, list[str | None]]
    labels: pd.DataFrame
    n_rows: int
    classes: dict[int, list[str]] = field(default_factory=dict)
    notes: dict[str, int | str] = field(default_factory=dict)


def read_wide(
    table: TableFile,
    text_columns: Sequence[str],
    label_columns: Sequence[LabelColumn],
    names: Collection[str] = (),
) -> WideTable:
    """Read a table batch by batch; memory grows with the measured cells, not with rows x tasks.

    Args:
        table: the opened file.
        text_columns: columns to keep as text, e.g. the SMILES.
        label_columns: how each column of labels is read; their order numbers the tasks.
        names: text columns of which only an empty cell is missing, because NA or None may be a name there.

    Raises:
        RelataskError: cells are not what their columns are said to hold; names the first ten.
    """
    texts: dict[str, list[str | None]] = {name: [] for name in text_columns}
    parts: list[tuple[np.ndarray, ...]] = []
    bad = BadCells(table)
    done = 0
    for batch in table.batches(list(dict.fromkeys([*text_columns, *(one.name for one in label_columns)]))):
        cells = dict(zip(batch.schema.names, batch.columns, strict=True))
        for name in text_columns:
            missing = EMPTY if name in names else MISSING
            texts[name].extend(text_of(cell, missing) for cell in cells[name].to_pylist())
        values = np.full((batch.num_rows, len(label_columns)), np.nan)
        signs = np.zeros(values.shape, np.int8)
        for task, column in enumerate(label_columns):
            found = column.read(cells[column.name], table.path)
            values[:, task], signs[:, task] = found.values, found.signs
            if found.wrong:
                bad.add(*bad_cells(found, cells[column.name], done, task, column.name))
        rows, tasks = np.nonzero(~np.isnan(values))
        parts.append((rows + done, tasks.astype(np.int32), values[rows, tasks], signs[rows, tasks]))
        done += batch.num_rows
    bad.raise_any()
    labels, classes = _long(parts), {}
    for task, column in enumerate(label_columns):
        if column.kind != "class":
            continue
        ordered = sorted(column.classes, key=in_order)
        at = {name: place for place, name in enumerate(ordered)}
        place = np.array([at[name] for name in column.classes], np.float64)
        of_task = (labels["task"] == task).to_numpy()
        labels.loc[of_task, "value"] = place[labels["value"].to_numpy()[of_task].astype(np.int64)]
        classes[task] = ordered
    return WideTable(texts, labels, done, classes, {**said_of(label_columns, table.path)})


def _long(parts: list[tuple[np.ndarray, ...]]) -> pd.DataFrame:
    parts = parts or [(np.empty(0),) * 4]
    rows, tasks, values, signs = (np.concatenate(column) for column in zip(*parts, strict=True))
    columns = {
        "row_position": rows.astype(np.int64),
        "task": tasks.astype(np.int32),
        "value": values.astype(np.float64),
    }
    if signs.any():
        columns["bound"] = pd.Categorical.from_codes(signs.astype(np.int8) + 2, pd.Index(SIGNS))
    return pd.DataFrame(columns)


def in_order(name: str) -> tuple[bool, int, str]:
    """Order of classes: whole numbers by their value, then texts by the alphabet."""
    return (False, int(name), "") if re.fullmatch(r"-?[0-9]{1,18}", name) else (True, 0, name)
