"""The folds that the source gives in its column `fold`; where it gives no validation, a share of training."""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import FOLDS, Fractions, column_of, whole_items

SCHEME = {"summary": "the folds of the source, such as official test images or classes"}


def split(items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions) -> pd.DataFrame:
    """Return table "split".

    Without given validation items, the share valid / (train + valid) of the training items is drawn by the
    seed for validation.

    Raises:
        RelataskError: an item has no fold, or there are too few.
    """
    names = column_of(items, "fold", "given").astype(object)
    fold = pd.Index(FOLDS).get_indexer(pd.Index(names))
    if (fold < 0).any():
        item = items["item_id"].iloc[int(np.argmax(fold < 0))]
        raise RelataskError(f"the source gives the item {item} no fold; use another scheme of splits.")
    if not (fold == 1).any():
        train = np.flatnonzero(fold == 0)
        n_valid = round(len(train) * fractions[1] / (fractions[0] + fractions[1]))
        n_test = int((fold == 2).sum())
        if not n_valid or n_valid == len(train) or not n_test:
            raise RelataskError(
                f"there are {len(train)} items for training and {n_test} for test: too few for {fractions}; "
                "give more."
            )
        fold[train[np.random.default_rng(seed).permutation(len(train))[:n_valid]]] = 1
    return whole_items(items, fold)
