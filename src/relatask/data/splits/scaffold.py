"""Every Bemis-Murcko scaffold in one fold.

An acyclic molecule is a group of its own: acyclic molecules have no framework in common, and as one group (a
quarter of Tox21) they would all be in train under every seed.
"""

import numpy as np
import pandas as pd

from relatask.data.splits import Fractions, fold_sizes, whole_items
from relatask.data.splits._groups import groups_of, placed, require_folds

SCHEME = {"summary": "no Bemis-Murcko scaffold in two folds", "items": ("molecule",)}
STREAM = 1  # of draws; each scheme has its own


def split(items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions) -> pd.DataFrame:
    """Return table "split".

    Raises:
        RelataskError: a fold would be empty.
    """
    group, _ = groups_of(items, "scaffold", 0, "scaffold")
    fold = placed(group, fold_sizes(len(items), fractions), np.random.default_rng([seed, STREAM]))
    require_folds(fold, group, "scaffold")
    return whole_items(items, fold)
