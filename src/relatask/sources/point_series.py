"""Several series of measured values at the same points in time, as a data set whose tasks are the series.

An item is a point in time. Folds follow each other in time, so all seeds have the same; values are
standardised by mean and deviation of the training fold, as by the collectors of MTG-Net's gains on ETTm1.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.source_tables import SourceContext, SourceTables, source_tables
from relatask.data.splits import Fractions
from relatask.data.splits.chronological import fold_ends
from relatask.data.task_ids import task_ids
from relatask.sources.folder import folder_of
from relatask.sources.readers import only_table
from relatask.sources.table_files import TableFile, find_column, open_table, row_in_file

if TYPE_CHECKING:
    from relatask.sources.series import SeriesSource


def read_series(path: Path, config: "SeriesSource") -> tuple[list[str], list[str], np.ndarray]:
    """Read a table of points in time x series.

    Returns:
        The times as texts, the names of the series, and their values, float64 [M, T].

    Raises:
        RelataskError: a column is missing, a cell is no number, or there are fewer points than `first`.
    """
    table = open_table(path, config.reading())
    time = find_column(table, config.id_column or "date", "id_column")
    names = config.task_columns or [name for name in table.names if name != time]
    columns = [find_column(table, name, "task_columns") for name in names]
    table = replace(table, numbers=frozenset(columns))
    times: list[str] = []
    parts: list[np.ndarray] = []
    for batch in table.batches([time, *columns]):
        cells = dict(zip(batch.schema.names, batch.columns, strict=True))
        parts.append(_numbers(table, {name: cells[name].to_pylist() for name in columns}, len(times)))
        times += [str(cell) for cell in cells[time].to_pylist()]
    values = np.concatenate(parts) if parts else np.zeros((0, len(names)))
    first = config.first or len(times)
    if len(times) < max(first, 1):
        raise RelataskError(f"{path} has {len(times)} points in time, `first` asks for {first}; lower it.")
    return times[:first], names, values[:first]


def _numbers(table: TableFile, cells: dict[str, list[Any]], before: int) -> np.ndarray:
    """Values float64 [rows, columns] of a batch."""
    found = [pd.to_numeric(pd.Series(column, dtype=object), errors="coerce") for column in cells.values()]
    values = np.stack([column.to_numpy(np.float64) for column in found], axis=1)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        name = list(cells)[column]
        place = f"{row_in_file(table, before + row)}, column {name!r}"
        raise RelataskError(
            f"{table.path}, {place}: {cells[name][row]!r} is no finite number; series must be "
            "complete: fill it or leave the column out of task_columns."
        )
    return values


def prepare_series(block: "SeriesSource", context: SourceContext) -> SourceTables:
    """Read the series of a source and return its tables: points in time with the values of all series.

    Raises:
        RelataskError: as `read_series` and `series_tables`.
    """
    path = Path(block.path) if block.path else only_table(folder_of(block, context), context.name)
    times, names, values = read_series(path, block)
    assert context.fractions is not None  # the source's record says that it reads them
    return series_tables(times, names, values, context.fractions)


def series_tables(
    times: Sequence[str], names: Sequence[str], values: np.ndarray, fractions: Fractions
) -> SourceTables:
    """Return the tables of series: labels, and the column `values` of items, on the scale of training.

    Args:
        times: M texts.
        names: of the T series.
        values: float64 [M, T].
        fractions: shares of train, valid and test, in this order of time.

    Raises:
        RelataskError: a fold is empty, or a series is constant in training.
    """
    end, _ = fold_ends(len(values), fractions)
    mean, std = values[:end].mean(0), values[:end].std(0)
    if (std == 0).any():
        name = names[int(np.argmin(std))]
        raise RelataskError(f"series {name!r} is constant in training; leave it out of task_columns.")
    scaled = ((values - mean) / std).astype(np.float32)
    n_items, n_tasks = scaled.shape
    said = f"less the mean and divided by the deviation of the first {end} points"
    scale = {
        key: dict(zip(task_ids(names), of.tolist(), strict=True))
        for key, of in (("mean", mean), ("std", std))
    }
    return source_tables(
        items=pd.DataFrame({"source_id": list(times), "values": list(scaled)}),
        tasks=pd.DataFrame({"name": list(names), "kind": "real", "transform": said}),
        labels=pd.DataFrame(
            {
                "item": np.repeat(np.arange(n_items), n_tasks),
                "task": np.tile(np.arange(n_tasks), n_items),
                "value": scaled.ravel(),
            }
        ),
        level="point",
        counts={"points": n_items, "series": list(names), **scale},
    )
