"""The folds that the source gives in its column `fold`; where it gives no validation, a share of training."""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import FOLDS, Fractions, column_of, whole_items
from relatask.data.splits._validation import VALID, with_validation

SCHEME = {
    "summary": "the folds of the source, such as official test images or classes, or a test file of one's "
    "own",
    "options": {
        "valid_by": (
            "random",
            "how validation is drawn from training where none is named: random or scaffold",
        )
    },
    "choices": {"valid_by": ("random", "scaffold")},
}


def split(
    items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions, valid_by: str
) -> pd.DataFrame:
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
    if not (fold == VALID).any():
        fold = with_validation(items, fold, fractions, np.random.default_rng(seed), valid_by)
    return whole_items(items, fold)
