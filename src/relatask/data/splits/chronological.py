"""Items in their own order, as points in time: the first for training, the last for test."""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import Fractions, whole_items

SCHEME = {"summary": "of series, and theirs alone: folds follow each other in time", "items": ("point",)}


def fold_ends(n: int, fractions: Fractions) -> list[int]:
    """Return where training and validation end.

    Raises:
        RelataskError: a fold would be empty.
    """
    ends = [round(n * sum(fractions[:count])) for count in (1, 2)]
    if not 0 < ends[0] < ends[1] < n:
        raise RelataskError(f"{n} points in time are too few for folds of {fractions}; give more.")
    return ends


def split(items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions) -> pd.DataFrame:
    """Return table "split", the same for every seed."""
    return whole_items(items, np.digitize(np.arange(len(items)), fold_ends(len(items), fractions)))
