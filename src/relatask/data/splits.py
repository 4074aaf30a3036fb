"""Splits: which molecules are for training, validation and test.

Every scheme draws from the seed, so that the spread over seeds is a spread over splits as well.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.registry import suggest

FOLDS = ("train", "valid", "test")
_TRAIN, _VALID, _TEST = range(3)
_FREE = -1
Fractions = tuple[float, float, float]


def split_molecules(
    molecules: pd.DataFrame, labels: pd.DataFrame, scheme: str, seed: int, fractions: Fractions
) -> pd.DataFrame:
    """Assign every molecule to one fold.

    Args:
        molecules: item_id and scaffold, one row per molecule; their order does not matter.
        labels: item_id, task_id, value (0 or 1); only `stratified` reads them.
        scheme: ``random``, ``scaffold`` or ``stratified``.
        seed: of all draws.
        fractions: of train, valid and test; valid and test hold int(fraction x molecules), train the rest
            (`scaffold` comes as near as its groups allow).

    Returns:
        Table "split", sorted by item_id.

    Raises:
        RelataskError: the scheme is unknown, or a fold would be empty.
    """
    if scheme not in _SCHEMES:
        raise RelataskError(f"there is no split scheme {scheme!r}.{suggest(scheme, _SCHEMES)}")
    molecules = molecules.sort_values("item_id", kind="stable")
    sizes = fold_sizes(len(molecules), fractions)
    rng = np.random.default_rng([seed, list(_SCHEMES).index(scheme)])
    fold = _SCHEMES[scheme](molecules, labels, sizes, rng)
    for number, name in enumerate(FOLDS):
        if not (fold == number).any():
            largest = molecules.scaffold.value_counts().iloc[0]
            raise RelataskError(
                f"the {scheme} split leaves the fold {name!r} empty: the largest of "
                f"{molecules.scaffold.nunique()} scaffolds holds {largest} of {len(molecules)} molecules; "
                "use the scheme random or stratified."
            )
    return pd.DataFrame(
        {
            "item_id": molecules.item_id.to_numpy(),
            "task_id": None,
            "fold": pd.Categorical.from_codes(fold, categories=pd.Index(FOLDS)),
        }
    )


def fold_sizes(n: int, fractions: Fractions) -> np.ndarray:
    """Return int64 [3]: sizes of train, valid and test for `n` molecules."""
    valid, test = (int(fraction * n + 1e-9) for fraction in fractions[1:])  # 0.29 * 100 is 28.999...
    if min(valid, test, n - valid - test) < 1:
        raise RelataskError(
            f"{n} molecules are too few for folds of {fractions}: each fold needs one; "
            "give more molecules or larger fractions."
        )
    return np.array([n - valid - test, valid, test])


def _random(
    molecules: pd.DataFrame, labels: pd.DataFrame, sizes: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    return rng.permutation(np.repeat(np.arange(3), sizes))


def _scaffold(
    molecules: pd.DataFrame, labels: pd.DataFrame, sizes: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Keep every Bemis-Murcko scaffold in one fold, balanced and drawn by the seed.

    Scaffolds with more molecules than half of the smaller held-out fold go to train, largest first, while
    they fit, so that no single series decides a test. All others are shuffled; each goes where it fits, to
    the held-out fold with more room before train. An acyclic molecule is a group of its own: acyclic
    molecules have no framework in common, and as one group (a quarter of Tox21) they would all be in train
    under every seed.
    """
    group = _groups(molecules.scaffold.to_numpy(dtype=object))
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


def _stratified(
    molecules: pd.DataFrame, labels: pd.DataFrame, sizes: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Give each task a positive and a negative in every fold where it has enough of them.

    After `random_filtered_split` of the SGNN-EBM authors: rare tasks choose first, the rest is random and
    fills the folds to their exact sizes. They order tasks by positives; here the rarer class counts,
    because an assay that is nearly all active is as hard to place. A class with fewer than three
    molecules is left to chance.
    """
    item_ids = molecules.item_id.to_numpy()
    fold = np.full(len(item_ids), _FREE)
    room = sizes.copy()
    for classes in _classes_by_task(item_ids, labels):
        for candidates in classes:
            for target in range(3) if len(candidates) >= 3 else ():
                taken = fold[candidates]
                free = candidates[taken == _FREE]
                if room[target] and len(free) and not (taken == target).any():
                    fold[free[rng.integers(len(free))]] = target
                    room[target] -= 1
    rest = rng.permutation(np.flatnonzero(fold == _FREE))
    fold[rest] = np.repeat(np.arange(3), room)
    return fold


def _classes_by_task(item_ids: np.ndarray, labels: pd.DataFrame) -> list[list[np.ndarray]]:
    """Return per task the positions of its rarer and its other class; tasks with the rarest class first."""
    names = labels.task_id.astype("category").cat
    position = np.searchsorted(item_ids, labels.item_id.to_numpy())
    # Sorted by position within a class, so that the order of the label rows does not matter.
    code = 2 * names.codes.to_numpy().astype(np.int64) + (labels.value.to_numpy() > 0.5)
    order = np.lexsort((position, code))
    bounds = np.searchsorted(code[order], np.arange(1, 2 * len(names.categories)))
    classes = np.split(position[order], bounds)
    tasks = [
        (sorted(classes[2 * task : 2 * task + 2], key=len), str(name))
        for task, name in enumerate(names.categories)
    ]
    return [pair for pair, _ in sorted(tasks, key=lambda task: (len(task[0][0]), task[1]))]


_SCHEMES: dict[str, Callable[[pd.DataFrame, pd.DataFrame, np.ndarray, np.random.Generator], np.ndarray]] = {
    "random": _random,
    "scaffold": _scaffold,
    "stratified": _stratified,
}


def split_digest(split: pd.DataFrame) -> str:
    """SHA-256 (hex) of the lines "item_id fold", or of cells "item_id task_id fold", sorted by item and task.

    Two equal splits have equal digests.
    """
    whole = split["task_id"].isna().to_numpy()
    texts = split.assign(task_id=split["task_id"].astype(object).where(~whole, ""))
    texts = texts.sort_values(["item_id", "task_id"], kind="stable")
    rows = zip(texts["item_id"], texts["task_id"], texts["fold"], strict=True)
    text = "\n".join(f"{item} {task} {fold}" if task else f"{item} {fold}" for item, task, fold in rows)
    end = "\n" if whole.any() else ""  # published digests of items have it, those of cells do not
    return hashlib.sha256(f"{text}{end}".encode()).hexdigest()


def describe_split(split: pd.DataFrame, labels: pd.DataFrame) -> dict[str, Any]:
    """Count items, labels and tasks with both classes per fold, and give the digest.

    Where cells are split, items of a fold are those with a label in it, and those that have none in training
    are counted too.
    """
    cells = labels.assign(fold=folds_of_labels(split, labels))
    of_cells = bool(split["task_id"].notna().any())
    known = set(cells.loc[cells["fold"] == FOLDS[0], "item_id"])
    counts = {}
    for name in FOLDS:
        own = cells[cells["fold"] == name]
        values = own.groupby("task_id", observed=True)["value"]
        items = own["item_id"].nunique() if of_cells else (split["fold"] == name).sum()
        counts[name] = {
            "molecules": int(items),
            "labels": len(own),
            "tasks_with_both_classes": int(((values.min() <= 0.5) & (values.max() > 0.5)).sum()),
        }
        if of_cells:
            counts[name]["molecules_without_a_training_label"] = len(set(own["item_id"]) - known)
    return {"folds": counts, "tasks": int(labels["task_id"].nunique()), "digest": split_digest(split)}


def folds_of_labels(split: pd.DataFrame, labels: pd.DataFrame) -> np.ndarray:
    """Return the fold of each label, objects [N]: of its cell where the split names it, else of its item.

    None for a label that the split does not name.
    """
    whole = split["task_id"].isna().to_numpy()
    of_item = pd.Series(split["fold"].to_numpy(object)[whole], index=split["item_id"].to_numpy()[whole])
    fold = of_item.reindex(labels["item_id"].to_numpy()).to_numpy(object)
    if not whole.all():
        tasks = pd.Index(sorted(set(labels["task_id"])))
        named = split[~whole]
        of_row, of_label = (
            tasks.get_indexer(pd.Index(frame["task_id"].astype(object))) for frame in (named, labels)
        )
        inside = of_row >= 0
        keys = named["item_id"].to_numpy(np.int64) * len(tasks) + of_row
        wanted = labels["item_id"].to_numpy(np.int64) * len(tasks) + of_label
        place = pd.Index(keys[inside]).get_indexer(wanted)
        fold = np.where(place >= 0, named["fold"].to_numpy(object)[inside][place], fold)
    return fold
