"""Clusters of similar molecules, each in one fold: a test of molecules that are unlike those of training.

Taylor-Butina clusters of ECFP4 fingerprints; clusters share no centre, but a molecule at the border of one
may be as near as `cutoff` to a molecule of another. The table `leaks` says how many are.
"""

import numpy as np
import pandas as pd

from relatask.data.splits import Fractions, fold_sizes, whole_items, with_facts
from relatask.data.splits._groups import groups_of, placed, require_folds

SCHEME = {
    "summary": "no Taylor-Butina cluster of ECFP4 fingerprints in two folds, neighbours within `cutoff`",
    "items": ("molecule",),
    "options": {"cutoff": (0.4, "of clusters: greatest Tanimoto distance of two neighbours")},
    "limits": {"cutoff": (0.0, 0.95)},
}
STREAM = 6  # of draws; each scheme has its own


def split(
    items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions, cutoff: float
) -> pd.DataFrame:
    """Return table "split".

    Raises:
        RelataskError: a fold would be empty.
    """
    group, names = groups_of(items, "butina", cutoff, "butina")
    fold = placed(group, fold_sizes(len(items), fractions), np.random.default_rng([seed, STREAM]))
    require_folds(fold, group, "cluster")
    return with_facts(whole_items(items, fold), clusters=len(names))
