"""Items in a random order, cut by the fractions."""

import numpy as np
import pandas as pd

from relatask.data.splits import Fractions, fold_sizes, whole_items

SCHEME = {"summary": "items are drawn"}
STREAM = 0  # of draws; each scheme has its own


def split(items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions) -> pd.DataFrame:
    """Return table "split"."""
    sizes = fold_sizes(len(items), fractions)
    rng = np.random.default_rng([seed, STREAM])
    return whole_items(items, rng.permutation(np.repeat(np.arange(3), sizes)))
