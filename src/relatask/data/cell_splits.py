"""Splits of cells: labels are held out and not molecules, so that a molecule's other labels are in training.

This is what imputation is asked: the missing results of compounds that have some. A label is for training,
validation or test whatever the molecule's others are, so structure and known labels are both there.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.columns.data import CELLS
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table
from relatask.data.splits import FOLDS, Fractions

NOWHERE = 255  # the fold of a cell without a label


def splits_cells(split: str) -> bool:
    """Whether a split, e.g. "cells-0", is one of cells."""
    return split.rpartition("-")[0] == CELLS


def split_cells(labels: pd.DataFrame, seed: int, fractions: Fractions) -> pd.DataFrame:
    """Assign every labelled cell to one fold, each class of each task by itself.

    The k-th of a class's n cells, in an order drawn by the seed, stands at (k + u) / n with one draw u in
    [0, 1) for the class: large classes are split as `fractions` say, small ones on average.

    Args:
        labels: item_id, task_id, label (0 or 1); the order of the rows does not matter.
        seed: of all draws.
        fractions: of train, valid and test.

    Returns:
        Table "cell_split", sorted by item_id and task_id.

    Raises:
        RelataskError: a fold would be empty.
    """
    tasks = pd.Categorical(labels["task_id"].astype(str))
    order = np.lexsort((tasks.codes, labels["item_id"]))
    item_ids, codes = labels["item_id"].to_numpy()[order], tasks.codes[order].astype(np.int64)
    group = 2 * codes + (labels["label"].to_numpy()[order] > 0.5)
    rng = np.random.default_rng([seed, 3])
    shuffled = np.lexsort((rng.random(len(group)), group))
    sizes = np.bincount(group, minlength=2 * len(tasks.categories))
    rank = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = np.empty(len(group))
    place[shuffled] = (rank + np.repeat(rng.random(len(sizes)), sizes)) / np.repeat(sizes, sizes)
    fold = np.searchsorted(np.cumsum(fractions)[:2], place, side="right")
    for number, name in enumerate(FOLDS):
        if not (fold == number).any():
            raise RelataskError(
                f"the split of {len(fold)} cells leaves the fold {name!r} empty; give more labels or larger "
                "fractions."
            )
    return pd.DataFrame(
        {
            "item_id": item_ids,
            "task_id": pd.Categorical.from_codes(codes, tasks.categories),
            "fold": pd.Categorical.from_codes(fold, pd.Index(FOLDS)),
        }
    )


def describe_cell_split(split: pd.DataFrame, labels: pd.DataFrame) -> dict[str, Any]:
    """Count molecules, labels and tasks with both classes per fold, and give the digest."""
    cells = split.astype({"task_id": str}).merge(labels.astype({"task_id": str}), on=["item_id", "task_id"])
    known = set(cells.loc[cells["fold"] == FOLDS[0], "item_id"])
    counts = {}
    for name in FOLDS:
        own = cells[cells["fold"] == name]
        counts[name] = {
            "molecules": int(own["item_id"].nunique()),
            "labels": len(own),
            "tasks_with_both_classes": int((own.groupby("task_id")["label"].nunique() == 2).sum()),
            "molecules_without_a_training_label": len(set(own["item_id"]) - known),
        }
    lines = split.astype(str).agg(" ".join, axis=1).str.cat(sep="\n")
    digest = hashlib.sha256(lines.encode()).hexdigest()
    return {"folds": counts, "tasks": int(labels["task_id"].nunique()), "digest": digest}


def read_cell_folds(path: Path, item_ids: np.ndarray, task_ids: list[str], labels: np.ndarray) -> np.ndarray:
    """Return the fold of each cell, uint8 [M, T]: its place in FOLDS, NOWHERE where there is no label.

    Args:
        path: table "cell_split".
        item_ids: of M molecules, rising.
        task_ids: T tasks, some or all of the table's.
        labels: [M, T], NaN where missing.

    Raises:
        RelataskError: the split does not name the labelled cells, each once.
    """
    frame = read_table("cell_split", path)
    tasks, folds = frame["task_id"].astype("category").cat, frame["fold"].astype("category").cat
    unknown = [str(name) for name in folds.categories if name not in FOLDS]
    columns = pd.Index(task_ids).get_indexer(tasks.categories)[tasks.codes]
    rows = pd.Index(item_ids).get_indexer(frame["item_id"])
    inside = (columns >= 0) & (rows >= 0)
    found = np.full(labels.shape, NOWHERE, np.uint8)
    numbers = np.array([FOLDS.index(name) if name in FOLDS else NOWHERE for name in folds.categories])
    found[rows[inside], columns[inside]] = numbers[folds.codes[inside]]
    twice = int(inside.sum()) != int((found != NOWHERE).sum())
    if unknown or twice or (rows < 0).any() or not np.array_equal(found == NOWHERE, np.isnan(labels)):
        raise RelataskError(
            f"{path} does not put each labelled cell of the data set into one of {', '.join(FOLDS)}; they "
            "were made from different data: run the step split_molecules again."
        )
    return found
