"""Several series of measured values at the same points in time, as a data set whose tasks are the series.

An item is a point in time. Folds follow each other in time, so all seeds have the same; values are
standardised by mean and deviation of the training fold, as by the collectors of MTG-Net's gains on ETTm1.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.config import SourceConfig
from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of, write_json
from relatask.core.npy_writer import npy_writer
from relatask.data.item_tables import ItemTables, write_items
from relatask.data.task_ids import task_ids
from relatask.sources.table_files import TableFile, find_column, open_table

SCHEME = "chronological"


def read_series(path: Path, config: SourceConfig) -> tuple[list[str], list[str], np.ndarray]:
    """Read a table of points in time x series.

    Returns:
        The times as texts, the names of the series, and their values, float64 [M, T].

    Raises:
        RelataskError: a column is missing, a cell is no number, or there are fewer points than `first`.
    """
    table = open_table(path)
    time = find_column(table, config.id_column or "date", "id_column")
    names = config.task_columns or [name for name in table.names if name != time]
    columns = [find_column(table, name, "task_columns") for name in names]
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
        raise RelataskError(
            f"{table.path}, data row {before + row + 1}, column {name!r}: {cells[name][row]!r} is no number; "
            "series must be complete: fill it or leave the column out of task_columns."
        )
    return values


def write_series(
    times: Sequence[str],
    names: Sequence[str],
    values: np.ndarray,
    fractions: tuple[float, float, float],
    seeds: Sequence[int],
    folder: Path,
) -> dict[str, Any]:
    """Write a data set of series and return the content of its dataset.json.

    Args:
        times: M texts.
        names: of the T series.
        values: float64 [M, T].
        fractions: shares of train, valid and test, in this order of time.
        seeds: a file of folds is written for each; they are all the same.
        folder: of the data set.

    Raises:
        RelataskError: a fold is empty, or a series is constant in training.
    """
    n_items = len(values)
    ends = [round(n_items * sum(fractions[:count])) for count in (1, 2)]
    if not 0 < ends[0] < ends[1] < n_items:
        raise RelataskError(f"{n_items} points in time are too few for folds of {fractions}; give more.")
    mean, std = values[: ends[0]].mean(0), values[: ends[0]].std(0)
    if (std == 0).any():
        name = names[int(np.argmin(std))]
        raise RelataskError(f"series {name!r} is constant in training; leave it out of task_columns.")
    scaled = ((values - mean) / std).astype(np.float32)
    tasks, fold = task_ids(names), np.digitize(np.arange(n_items), ends)
    record = {"scheme": SCHEME, "fractions": fractions}
    splits = {f"{SCHEME}-{seed}": (fold, {**record, "seed": seed}) for seed in seeds}
    digest = _write_values(scaled, folder / "features")
    counts = write_items(ItemTables("point", times, names, scaled, splits, kind="real"), digest, folder)
    scale = {key: dict(zip(tasks, of.tolist(), strict=True)) for key, of in (("mean", mean), ("std", std))}
    write_json(folder / "dataset.json", {**counts, **scale})
    return {**counts, **scale}


def _write_values(values: np.ndarray, folder: Path) -> str:
    """Write what encoders read, series.npy (float32 [M, T]) and its record, and return its digest."""
    with npy_writer(folder / "series.npy", "<f4", values.shape[1]) as writer:
        writer.append(values)
    digest = sha256_of(folder / "series.npy")
    write_json(folder / "features.json", {"files": {"series.npy": digest}, "digest": digest})
    return digest
