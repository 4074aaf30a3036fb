"""Small molecules for training, large ones for test: whether a method generalises to larger molecules."""

import numpy as np
import pandas as pd

from relatask.data.splits import Fractions, column_of, fold_sizes, whole_items

SCHEME = {
    "summary": "molecules by their size, the largest for test, or with `smallest_last` the smallest",
    "items": ("molecule",),
    "options": {"smallest_last": (False, "of the scheme by_size: test the smallest molecules")},
}


def split(
    items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions, smallest_last: bool
) -> pd.DataFrame:
    """Return table "split"; the seed decides among molecules of one size."""
    size = column_of(items, "n_heavy_atoms", "by_size").to_numpy(np.int64)
    order = np.lexsort((np.random.default_rng(seed).random(len(items)), -size if smallest_last else size))
    fold = np.empty(len(items), np.int64)
    fold[order] = np.repeat(np.arange(3), fold_sizes(len(items), fractions))
    return whole_items(items, fold)
