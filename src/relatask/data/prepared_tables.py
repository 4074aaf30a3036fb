"""The tables of a prepared data set as arrays: which label, class and fold each item has."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.registry import suggest
from relatask.core.tables import read_table
from relatask.data.cell_splits import read_cell_folds, splits_cells
from relatask.data.splits import FOLDS


def select_tasks(path: Path, tasks: Sequence[str] | None) -> list[str]:
    """Return the data set's task ids, all or those in `tasks`, in its order.

    Raises:
        RelataskError: a task is unknown, or none is chosen.
    """
    known = read_table("tasks", path, ["task_id"])["task_id"].tolist()
    if tasks is None:
        return known
    wanted = set(tasks)
    if unknown := sorted(wanted - set(known)):
        raise RelataskError(f"{path} has no task {unknown[0]!r}.{suggest(unknown[0], known)}")
    if not wanted:
        raise RelataskError(f"{path}: no task was chosen; name at least one, or none to take all.")
    return [task for task in known if task in wanted]


def _positions(path: Path, item_ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where the ids `wanted` stand in `item_ids`, which is sorted and holds each id once."""
    positions = np.searchsorted(item_ids, wanted).clip(max=max(len(item_ids) - 1, 0))
    if len(wanted) and (not len(item_ids) or (known := item_ids[positions] == wanted).sum() < len(wanted)):
        missing = wanted[~known][0] if len(item_ids) else wanted[0]
        raise RelataskError(
            f"{path} names item_id {missing}, which molecules.parquet beside it lacks; they were made from "
            "different data: run the workflow again."
        )
    return positions


def read_labels(path: Path, item_ids: np.ndarray, task_ids: list[str]) -> np.ndarray:
    """Return float32 [M, T] with NaN where there is no label."""
    if (np.diff(item_ids) <= 0).any():
        raise RelataskError(f"{path.with_name('molecules.parquet')}: item_id must rise from row to row.")
    frame = read_table("labels", path)
    tasks = frame["task_id"].astype("category").cat
    column_of = {task: column for column, task in enumerate(task_ids)}
    columns = np.array([column_of.get(task, -1) for task in tasks.categories], np.int64)[tasks.codes]
    rows = _positions(path, item_ids, frame["item_id"].to_numpy())
    kept = columns >= 0
    labels = np.full((len(item_ids), len(task_ids)), np.nan, np.float32)
    labels[rows[kept], columns[kept]] = frame["label"].to_numpy()[kept]
    return labels


def read_split(
    folder: Path,
    split: str,
    item_ids: np.ndarray,
    task_ids: list[str],
    labels: np.ndarray,
    has_classes: bool,
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Return the positions of each fold's items, and where cells are split the fold of each, uint8 [M, T].

    A molecule is in the folds of its cells.
    """
    path = folder / "splits" / f"{split}.parquet"
    cells = None
    if splits_cells(split):
        cells = read_cell_folds(path, item_ids, task_ids, labels)
        rows_of = {fold: np.flatnonzero((cells == place).any(1)) for place, fold in enumerate(FOLDS)}
    else:
        rows_of = _read_folds(path, item_ids, ~np.isnan(labels).all(axis=1) | has_classes)
    return rows_of, cells


def read_classes(path: Path, item_ids: np.ndarray, task_ids: list[str]) -> np.ndarray:
    """Return the class of each item as its position in `task_ids`, int64 [M]."""
    frame = read_table("classes", path)
    rows = _positions(path, item_ids, frame["item_id"].to_numpy())
    classes = np.full(len(item_ids), -1, np.int64)
    classes[rows] = pd.Categorical(frame["task_id"].astype(str), categories=task_ids).codes
    if len(rows) != len(item_ids) or (classes < 0).any():
        raise RelataskError(
            f"{path} does not name a class of tasks.parquet once for each of {len(item_ids)} items; run the "
            "step prepare_images again."
        )
    return classes


def _read_folds(path: Path, item_ids: np.ndarray, labelled: np.ndarray) -> dict[str, np.ndarray]:
    """Return the positions of each fold's molecules, in the table's order, that have a label."""
    frame = read_table("split", path)
    rows = _positions(path, item_ids, frame["item_id"].to_numpy())
    if len(np.unique(rows)) != len(item_ids) or len(rows) != len(item_ids):
        raise RelataskError(
            f"{path} puts {len(np.unique(rows))} of {len(item_ids)} molecules in a fold ({len(rows)} rows); "
            "each must be in exactly one: run the step split_molecules again."
        )
    fold_of = np.empty(len(item_ids), object)
    fold_of[rows] = frame["fold"].to_numpy(object)
    if unknown := sorted(set(fold_of) - set(FOLDS)):
        raise RelataskError(f"{path} has the fold {unknown[0]!r}; only {', '.join(FOLDS)} exist.")
    return {fold: np.flatnonzero((fold_of == fold) & labelled) for fold in FOLDS}


def read_relations(path: Path, task_ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges among `task_ids` as positions [2, E] and their scores [E]; none without a table."""
    if not path.exists():
        return np.zeros((2, 0), np.int64), np.zeros(0, np.float32)
    frame = read_table("relations", path, ["task_i", "task_j", "score"])
    position = pd.Series(np.arange(len(task_ids)), index=task_ids)
    frame = frame[frame["task_i"].isin(position.index) & frame["task_j"].isin(position.index)]
    ends = [position.loc[frame[column]].to_numpy(np.int64) for column in ("task_i", "task_j")]
    return np.stack(ends), frame["score"].to_numpy(np.float32, copy=True)
