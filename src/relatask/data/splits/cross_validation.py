"""Repeated cross-validation: each seed is one fold of one repeat, and every item is tested once a repeat."""

import numpy as np
import pandas as pd

from relatask.core.columns.data import LABELS
from relatask.core.errors import RelataskError
from relatask.data.splits import Fractions, whole_items, with_facts
from relatask.data.splits._groups import groups_of, parts_of_groups
from relatask.data.splits._labels import spread

SCHEME = {
    "summary": "seed s tests fold s mod `n_folds` of repeat s div `n_folds`; the next fold is for "
    "validation; with `by`, folds of whole groups",
    "options": {
        "n_folds": (5, "of the scheme cross_validation: folds of a repeat, 3 at least"),
        "by": (
            "",
            "of the schemes cross_validation, leave_out and grouped: what stays together; scaffold, "
            "butina, or a column of the items such as a project; of cross_validation also labels: both "
            "classes of each task in each fold where possible",
        ),
        "cutoff": (0.4, "of clusters: greatest Tanimoto distance of two neighbours"),
    },
    "limits": {"n_folds": (3, 1_000_000), "cutoff": (0.0, 0.95)},
}
STREAM = 4  # of draws; each scheme has its own


def split(
    items: pd.DataFrame,
    labels: pd.DataFrame,
    seed: int,
    fractions: Fractions,
    n_folds: int,
    by: str,
    cutoff: float,
) -> pd.DataFrame:
    """Return table "split"; `fractions` is not read.

    Folds of a repeat differ in size by one item at most, with `by` by about a tenth of a fold, or by what a
    larger group has too many.

    Raises:
        RelataskError: there are fewer than three folds, or fewer items or groups than folds.
    """
    group, what = np.arange(len(items)), "items"
    if by and by != LABELS:
        group, _ = groups_of(items, by, cutoff, "cross_validation")
        what = f"groups by {by}"
    n_groups = int(group.max(initial=-1)) + 1
    if not 3 <= n_folds <= n_groups:
        raise RelataskError(
            f"splits.n_folds: it is from 3 to the number of {what}, {n_groups}, not {n_folds}."
        )
    repeat, tested = divmod(seed, n_folds)
    rng = np.random.default_rng([repeat, STREAM])
    if by == LABELS:
        sizes = np.bincount(rng.permutation(n_folds)[group % n_folds])  # which differ by one item at most
        part = spread(items["item_id"].to_numpy(), labels, sizes, rng, least=1)
    else:
        part = parts_of_groups(group, n_folds, rng) if by else rng.permutation(group % n_folds)
    fold = np.where(part == tested, 2, np.where(part == (tested + 1) % n_folds, 1, 0))
    facts = {"groups": n_groups} if by and by != LABELS else {}
    return with_facts(whole_items(items, fold), repeat=repeat, tested_fold=tested, **facts)
