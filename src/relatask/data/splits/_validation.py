"""Validation items taken from those for training, where a source, a column or a file names none."""

from typing import Any

import numpy as np
import pandas as pd

from relatask.core.columns.data import SCAFFOLD
from relatask.core.errors import RelataskError
from relatask.data.splits import Fractions, whole_items, with_facts
from relatask.data.splits._groups import groups_of

TRAIN, VALID, TEST = range(3)
STREAM = 8  # of draws; each scheme has its own


def with_validation(
    items: pd.DataFrame,
    fold: np.ndarray,
    fractions: Fractions,
    rng: np.random.Generator,
    valid_by: str = "random",
    scheme: str = "given",
) -> np.ndarray:
    """Return folds, int64 [n], with the share valid / (train + valid) of the training items for validation.

    Args:
        items: a row for each item.
        fold: int64 [n], places in FOLDS, -1 for hidden; none of them is validation.
        fractions: of train, valid and test.
        rng: of the draw.
        valid_by: random, or scaffold: whole scaffolds, as they are drawn, while they fit.
        scheme: for messages.

    Raises:
        RelataskError: there is nothing to train on or to test, or too little to take validation from.
    """
    train = np.flatnonzero(fold == TRAIN)
    wanted = round(len(train) * fractions[1] / (fractions[0] + fractions[1]))
    n_test = int((fold == TEST).sum())
    if not wanted or wanted == len(train) or not n_test:
        raise RelataskError(
            f"there are {len(train)} items for training and {n_test} for test: too few for {fractions}; "
            "give more."
        )
    chosen = rng.permutation(len(train))[:wanted]
    if valid_by == SCAFFOLD:
        chosen = _whole_groups(groups_of(items.iloc[train], SCAFFOLD, 0, scheme)[0], wanted, rng)
    found = fold.copy()
    found[train[chosen]] = VALID
    return found


def _whole_groups(group: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Return positions of the items of drawn groups, at most `wanted`, and the smallest group at least."""
    members = np.bincount(group)
    chosen, room = np.zeros(len(members), bool), wanted
    for candidate in rng.permutation(len(members)):
        if members[candidate] <= room:
            chosen[candidate] = True
            room -= members[candidate]
    if not chosen.any():
        chosen[members.argmin()] = True
    if chosen.all():
        raise RelataskError(
            "splits.valid_by: the training items have one scaffold, so none can be taken for validation; use "
            "random."
        )
    return np.flatnonzero(chosen[group])


def named_by_user(
    items: pd.DataFrame,
    fold: np.ndarray,
    seed: int,
    fractions: Fractions,
    valid_by: str,
    what: str,
    facts: dict[str, Any],
) -> pd.DataFrame:
    """Return table "split" of folds that a user named, with validation drawn where there is none.

    Raises:
        RelataskError: no item is for training, or none for test.
    """
    for place, name in ((TRAIN, "train"), (TEST, "test")):
        if not (fold == place).any():
            advice = "; name the word that means test in splits.test_word" if name == "test" else ""
            raise RelataskError(f"{what} names no item for {name}{advice}, or use another scheme.")
    if not (fold == VALID).any():
        rng = np.random.default_rng([seed, STREAM])
        fold = with_validation(items, fold, fractions, rng, valid_by, "column")
        facts = {**facts, "validation": f"drawn from training: {valid_by}"}
    return with_facts(whole_items(items, fold), **facts)
