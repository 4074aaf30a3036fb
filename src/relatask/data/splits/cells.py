"""Splits of cells: labels are held out and not molecules, so that a molecule's other labels are in training.

This is what imputation is asked: the missing results of compounds that have some. A label is for training,
validation or test whatever the molecule's others are, so structure and known labels are both there.
"""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import FOLDS, Fractions

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
    tasks = pd.Categorical(labels["task_id"].astype(str))
    order = np.lexsort((tasks.codes, labels["item_id"]))
    item_ids, codes = labels["item_id"].to_numpy()[order], tasks.codes[order].astype(np.int64)
    group = 2 * codes + (labels["value"].to_numpy()[order] > 0.5)
    rng = np.random.default_rng([seed, STREAM])
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
