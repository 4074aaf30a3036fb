"""Both classes of each task in every fold, where a task has enough of them."""

import numpy as np
import pandas as pd

from relatask.data.splits import Fractions, fold_sizes, whole_items
from relatask.data.splits._labels import spread

SCHEME = {"summary": "both classes of each task in each fold where possible"}
STREAM = 2  # of draws; each scheme has its own


def split(items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions) -> pd.DataFrame:
    """Return table "split": each task has a positive and a negative in every fold if it has three of each."""
    rng, sizes = np.random.default_rng([seed, STREAM]), fold_sizes(len(items), fractions)
    return whole_items(items, spread(items["item_id"].to_numpy(), labels, sizes, rng, least=3))
