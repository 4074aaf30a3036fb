"""Repeated cross-validation: each seed is one fold of one repeat, and every item is tested once a repeat."""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import Fractions, whole_items

SCHEME = {
    "summary": "seed s tests fold s mod `n_folds` of repeat s div `n_folds`; the next fold is for validation",
    "options": {"n_folds": (5, "of the scheme cross_validation: folds of a repeat, 3 at least")},
    "limits": {"n_folds": (3, 1_000_000)},
}
STREAM = 4  # of draws; each scheme has its own


def split(
    items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions, n_folds: int
) -> pd.DataFrame:
    """Return table "split"; folds of a repeat differ in size by one item at most. `fractions` is not read.

    Raises:
        RelataskError: there are fewer than three folds, or fewer items than folds.
    """
    if not 3 <= n_folds <= len(items):
        raise RelataskError(
            f"splits.n_folds: it is from 3 to the number of items, {len(items)}, not {n_folds}."
        )
    repeat, tested = divmod(seed, n_folds)
    part = np.random.default_rng([repeat, STREAM]).permutation(np.arange(len(items)) % n_folds)
    fold = np.where(part == tested, 2, np.where(part == (tested + 1) % n_folds, 1, 0))
    return whole_items(items, fold)
