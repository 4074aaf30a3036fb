"""The tables of a prepared data set as arrays: which label, class and fold each item has."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.kinds import BOUND_SIGN, BOUNDS
from relatask.core.tables import read_table
from relatask.data.splits import FOLDS, HIDDEN
from relatask.data.tasks import task_positions

NOWHERE = 255  # the fold of a cell without a label


def _positions(path: Path, item_ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where the ids `wanted` stand in `item_ids`, which is sorted and holds each id once."""
    positions = np.searchsorted(item_ids, wanted).clip(max=max(len(item_ids) - 1, 0))
    if len(wanted) and (not len(item_ids) or (known := item_ids[positions] == wanted).sum() < len(wanted)):
        missing = wanted[~known][0] if len(item_ids) else wanted[0]
        raise RelataskError(
            f"{path} names item_id {missing}, which items.parquet beside it lacks; they were made from "
            "different data: run the workflow again."
        )
    return positions


def read_labels(
    path: Path, item_ids: np.ndarray, task_ids: list[str]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the labels, float32 [M, T] with NaN where there is none, and their bounds.

    The bounds are int8 [M, T]: 0 for the value itself, -1 for "less than", 1 for "more than"; None where all
    are 0.
    """
    if (np.diff(item_ids) <= 0).any():
        raise RelataskError(f"{path.with_name('items.parquet')}: item_id must rise from row to row.")
    frame = read_table("labels", path)
    columns = task_positions(frame["task_id"], task_ids)
    rows = _positions(path, item_ids, frame["item_id"].to_numpy())
    kept = columns >= 0
    labels = np.full((len(item_ids), len(task_ids)), np.nan, np.float32)
    labels[rows[kept], columns[kept]] = frame["value"].to_numpy()[kept]
    bound = frame["bound"].astype("category").cat
    if unknown := sorted(set(bound.categories) - set(BOUNDS)):
        raise RelataskError(f"{path} has the bound {unknown[0]!r}; only {', '.join(BOUNDS)} exist.")
    sign = np.array([BOUND_SIGN[name] for name in bound.categories], np.int8)[bound.codes]
    if not sign[kept].any():
        return labels, None
    bounds = np.zeros(labels.shape, np.int8)
    bounds[rows[kept], columns[kept]] = sign[kept]
    return labels, bounds


@dataclass(frozen=True)
class Folds:
    """Which items and labels are in which fold."""

    rows: dict[str, np.ndarray]  # fold -> int64 positions of its items with a label
    cells: np.ndarray | None  # uint8 [M, T] where labels of one item differ in fold: place in FOLDS, NOWHERE
    hidden: np.ndarray | None  # bool [M, T], labels that nothing may read; None where there are none


def read_split(path: Path, item_ids: np.ndarray, task_ids: list[str], labels: np.ndarray) -> Folds:
    """Return the folds of a table "split".

    An item is in the folds of its labels. A row with a task puts one label into a fold, a row without a task
    all labels of its item that no other row names.

    Args:
        path: of the table.
        item_ids: of M items, rising.
        task_ids: T tasks, some or all of the table's.
        labels: [M, T], NaN where missing.

    Raises:
        RelataskError: the table is of other items, names an item or a label twice or leaves one out, or has
            an unknown fold.
    """
    frame = read_table("split", path)
    fold = frame["fold"].astype("category").cat
    known = (*FOLDS, HIDDEN)
    if unknown := sorted(set(fold.categories[np.unique(fold.codes)]) - set(known)):
        raise RelataskError(f"{path} has the fold {unknown[0]!r}; only {', '.join(known)} exist.")
    number = np.array([known.index(name) if name in known else -1 for name in fold.categories], np.int8)
    places, rows = number[fold.codes], _positions(path, item_ids, frame["item_id"].to_numpy())
    whole = frame["task_id"].isna().to_numpy()
    of_item = _folds_of_items(path, rows[whole], places[whole], len(item_ids))
    labelled = np.isnan(labels)
    np.logical_not(labelled, out=labelled)  # no more matrices at a time than needed: each may be gigabytes
    of_cell = None
    if not whole.all():
        of_cell = _folds_of_cells(
            path, frame[~whole], rows[~whole], places[~whole], of_item, labelled, task_ids
        )
    hidden = (of_item[:, None] if of_cell is None else of_cell) == len(FOLDS)
    hidden = hidden & labelled if hidden.any() else None
    if hidden is not None and hidden.any():
        labelled &= ~hidden
    else:
        hidden = None
    has_label = labelled.any(axis=1)
    if of_cell is None or (whole.any() and not ((of_cell != of_item[:, None]) & labelled).any()):
        found = {name: np.flatnonzero((of_item == place) & has_label) for place, name in enumerate(FOLDS)}
        return Folds(found, None, hidden)
    cells = of_cell.astype(np.uint8)
    cells[~labelled] = NOWHERE
    found = {name: np.flatnonzero((cells == place).any(1)) for place, name in enumerate(FOLDS)}
    return Folds(found, cells, hidden)


def _folds_of_items(path: Path, rows: np.ndarray, places: np.ndarray, n_items: int) -> np.ndarray:
    """Return the fold of each item, int8 [M]; -1 for all where the table has rows of cells alone."""
    found = np.full(n_items, -1, np.int8)
    if len(rows) and (len(np.unique(rows)) != n_items or len(rows) != n_items):
        raise RelataskError(
            f"{path} puts {len(np.unique(rows))} of {n_items} items in a fold ({len(rows)} rows); "
            "each must be in exactly one: run the step split_items again."
        )
    found[rows] = places
    return found


def _folds_of_cells(
    path: Path,
    frame: pd.DataFrame,
    rows: np.ndarray,
    places: np.ndarray,
    of_item: np.ndarray,
    labelled: np.ndarray,
    task_ids: list[str],
) -> np.ndarray:
    """Return the fold of each cell, int8 [M, T], -1 where it has none."""
    columns = task_positions(frame["task_id"], task_ids)
    inside = columns >= 0
    named = np.zeros(labelled.shape, bool)
    named[rows[inside], columns[inside]] = True
    found = np.repeat(of_item[:, None], labelled.shape[1], axis=1)
    found[rows[inside], columns[inside]] = places[inside]
    twice = int(inside.sum()) != int(named.sum())
    if twice or (named > labelled).any() or (labelled & (found < 0)).any():
        raise RelataskError(
            f"{path} does not put each labelled cell of the data set into one of {', '.join(FOLDS)} or "
            f"{HIDDEN}; they were made from different data: run the step split_items again."
        )
    return found


def read_relations(path: Path, task_ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges among `task_ids` as positions [2, E] and their scores [E]; none without a table."""
    if not path.exists():
        return np.zeros((2, 0), np.int64), np.zeros(0, np.float32)
    frame = read_table("relations", path, ["task_i", "task_j", "score"])
    position = pd.Series(np.arange(len(task_ids)), index=task_ids)
    frame = frame[frame["task_i"].isin(position.index) & frame["task_j"].isin(position.index)]
    ends = [position.loc[frame[column]].to_numpy(np.int64) for column in ("task_i", "task_j")]
    return np.stack(ends), frame["score"].to_numpy(np.float32, copy=True)
