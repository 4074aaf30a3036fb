"""Splits of cells: labels are held out and not molecules, so that a molecule's other labels are in training.

This is what imputation is asked: the missing results of compounds that have some. A label is for training,
validation or test whatever the molecule's others are, so structure and known labels are both there.
"""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import FOLDS, Fractions, cell_table, order_of, task_codes

SCHEME = {
    "summary": "labels are held out and not items, as when a table is filled",
    "holds_out": "labels",
}
STREAM = 3  # of draws; each scheme has its own


def split(items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions) -> pd.DataFrame:
    """Return table "split", a row for each label."""
    return split_cells(labels, seed, fractions)


def split_cells(labels: pd.DataFrame, seed: int, fractions: Fractions) -> pd.DataFrame:
    """Assign every labelled cell to one fold, each class of each task by itself.

    The k-th of a class's n cells, in an order drawn by the seed, stands at (k + u) / n with one draw u in
    [0, 1) for the class: large classes are split as `fractions` say, small ones on average.

    Args:
        labels: item_id, task_id, value (0 or 1); the order of the rows does not matter.
        seed: of all draws.
        fractions: of train, valid and test.

    Returns:
        Table "split", sorted by item_id and task_id.

    Raises:
        RelataskError: a fold would be empty.
    """
    tasks, names = task_codes(labels["task_id"])
    items = labels["item_id"].to_numpy()
    order = order_of(items, tasks)
    items, tasks = items[order], tasks[order]
    group = 2 * tasks + (labels["value"].to_numpy()[order] > 0.5)
    del order
    fold = _folds(group, np.bincount(group, minlength=2 * len(names)), fractions, [seed, STREAM])
    for number, name in enumerate(FOLDS):
        if not (fold == number).any():
            raise RelataskError(
                f"the split of {len(fold)} cells leaves the fold {name!r} empty; give more labels or larger "
                "fractions."
            )
    return cell_table(items, tasks, names, fold)


def _folds(group: np.ndarray, sizes: np.ndarray, fractions: Fractions, seed: list[int]) -> np.ndarray:
    """Return the fold of each cell, int8 [N], where `group` is its class and `sizes` counts each class."""
    rng = np.random.default_rng(seed)
    shuffled = np.lexsort((rng.random(len(group)), group))
    place = np.arange(len(group), dtype=np.float64)  # of the k-th of its class, in the order drawn
    place -= np.repeat(np.cumsum(sizes) - sizes, sizes)
    place += np.repeat(rng.random(len(sizes)), sizes)
    place /= np.repeat(sizes, sizes)
    fold = np.empty(len(group), np.int8)
    fold[shuffled] = np.searchsorted(np.cumsum(fractions)[:2], place, side="right")
    return fold
