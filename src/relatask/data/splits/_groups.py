"""Groups of items that a split keeps together: scaffolds, clusters, or values of a column."""

import numpy as np
import pandas as pd

from relatask.core.columns.data import CLUSTERS, SCAFFOLD
from relatask.core.errors import RelataskError
from relatask.data.clusters import cluster_molecules
from relatask.data.splits import FOLDS, column_of

_TRAIN, _VALID, _TEST = range(3)
_FREE = -1


def groups_of(items: pd.DataFrame, by: str, cutoff: float, scheme: str) -> tuple[np.ndarray, list[str]]:
    """Return the group of each item, int64 [n], and the name of each group.

    An item without a group, as an acyclic molecule of scaffolds and an empty cell of a column, is one by
    itself.

    Args:
        items: a row for each item.
        by: scaffold, butina, or a column of the items.
        cutoff: of clusters, see `relatask.data.clusters.butina`.
        scheme: for messages.

    Raises:
        RelataskError: there is no such column, or the items are no molecules.
    """
    if by == CLUSTERS:
        cluster = items["cluster"] if "cluster" in items else cluster_molecules(items, cutoff)
        codes = np.unique(np.asarray(cluster), return_inverse=True)[1]
        return codes, [f"cluster {number}" for number in range(codes.max(initial=-1) + 1)]
    values = column_of(items, by, scheme).to_numpy(object)
    missing = values == "" if by == SCAFFOLD else pd.isna(values) | (values == "")
    codes = numbered(values, missing)
    first = np.unique(codes, return_index=True)[1]
    names = [str(values[row]) if not missing[row] else f"item {items['item_id'].iloc[row]}" for row in first]
    return codes, names


def numbered(values: np.ndarray, alone: np.ndarray) -> np.ndarray:
    """Number different values, int64 [n]; each item that is `alone`, bool [n], gets a number of its own."""
    codes, names = pd.factorize(values)
    codes = codes.astype(np.int64)
    codes[alone] = len(names) + np.arange(alone.sum())
    return np.unique(codes, return_inverse=True)[1]


def placed(group: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the fold of each item, int64 [n]: whole groups, balanced and drawn by the seed.

    Groups with more items than half of the smaller held-out fold go to train, largest first, while they fit,
    so that no single series decides a test. All others are shuffled; each goes where it fits, to the
    held-out fold with more room before train.

    Args:
        group: int64 [n], numbers without gaps.
        sizes: int64 [3], wanted numbers of items of train, valid and test.
        rng: of the draw.
    """
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


def require_folds(fold: np.ndarray, group: np.ndarray, what: str) -> None:
    """Refuse a split of groups that leaves a fold empty, because one group holds nearly all.

    Raises:
        RelataskError: it does.
    """
    for number, name in enumerate(FOLDS):
        if not (fold == number).any():
            members = np.bincount(group)
            raise RelataskError(
                f"the {what} split leaves the fold {name!r} empty: the largest of {len(members)} "
                f"{what}s holds {members.max()} of {len(group)} molecules; use the scheme random or "
                "stratified."
            )


def parts_of_groups(group: np.ndarray, n_parts: int, rng: np.random.Generator) -> np.ndarray:
    """Return one of `n_parts` parts for each item, int64 [n]: whole groups, of nearly equal sizes.

    Each group goes to the smallest part: those larger than a tenth of a part first, largest first, then the
    others as they are drawn.
    """
    members = np.bincount(group)
    drawn = rng.permutation(len(members))
    weight = np.where(members[drawn] > len(group) / n_parts / 10, members[drawn], 0)
    part, filled = np.empty(len(members), np.int64), np.zeros(n_parts, np.int64)
    for candidate in drawn[np.argsort(-weight, kind="stable")]:
        part[candidate] = filled.argmin()
        filled[part[candidate]] += members[candidate]
    return rng.permutation(n_parts)[part][group]
