"""Every Bemis-Murcko scaffold in one fold."""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import FOLDS, Fractions, column_of, fold_sizes, whole_items

SCHEME = {"summary": "no Bemis-Murcko scaffold in two folds", "items": ("molecule",)}
STREAM = 1  # of draws; each scheme has its own
_TRAIN, _VALID, _TEST = range(3)
_FREE = -1


def split(items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions) -> pd.DataFrame:
    """Return table "split".

    Raises:
        RelataskError: a fold would be empty.
    """
    scaffolds = column_of(items, "scaffold", "scaffold")
    sizes = fold_sizes(len(items), fractions)
    fold = _fold_of_each(scaffolds.to_numpy(dtype=object), sizes, np.random.default_rng([seed, STREAM]))
    for number, name in enumerate(FOLDS):
        if not (fold == number).any():
            raise RelataskError(
                f"the scaffold split leaves the fold {name!r} empty: the largest of {scaffolds.nunique()} "
                f"scaffolds holds {scaffolds.value_counts().iloc[0]} of {len(items)} molecules; use the "
                "scheme random or stratified."
            )
    return whole_items(items, fold)


def _fold_of_each(scaffolds: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Keep every Bemis-Murcko scaffold in one fold, balanced and drawn by the seed.

    Scaffolds with more molecules than half of the smaller held-out fold go to train, largest first, while
    they fit, so that no single series decides a test. All others are shuffled; each goes where it fits, to
    the held-out fold with more room before train. An acyclic molecule is a group of its own: acyclic
    molecules have no framework in common, and as one group (a quarter of Tox21) they would all be in train
    under every seed.
    """
    group = _groups(scaffolds)
    members = np.bincount(group)
    shuffled = rng.permutation(len(members))
    big = shuffled[members[shuffled] > sizes[1:].min() / 2]
    by_size = big[np.argsort(-members[big], kind="stable")]
    room = sizes.copy()
    fold_of_group = np.full(len(members), _FREE)
    for candidate in by_size[: max(len(members) - 2, 0)]:  # two groups at least stay for valid and test
        if members[candidate] <= room[_TRAIN] or candidate == by_size[0]:
            fold_of_group[candidate] = _TRAIN
            room[_TRAIN] -= members[candidate]
    rest = shuffled[fold_of_group[shuffled] == _FREE]
    for number, candidate in enumerate(rest):
        empty = [fold for fold in (_TEST, _VALID) if room[fold] == sizes[fold]]
        held_out = (_TEST, _VALID) if room[_TEST] >= room[_VALID] else (_VALID, _TEST)
        fits = [fold for fold in (*held_out, _TRAIN) if members[candidate] <= room[fold]]
        last_chance = empty if len(rest) - number <= len(empty) else []
        fold = (last_chance or fits or [_TRAIN])[0]
        fold_of_group[candidate] = fold
        room[fold] -= members[candidate]
    return fold_of_group[group]


def _groups(scaffolds: np.ndarray) -> np.ndarray:
    """Number the scaffolds; each acyclic molecule (no scaffold) gets a number of its own."""
    codes, names = pd.factorize(scaffolds)
    acyclic = scaffolds == ""
    codes = codes.astype(np.int64)
    codes[acyclic] = len(names) + np.arange(acyclic.sum())
    return np.unique(codes, return_inverse=True)[1]
