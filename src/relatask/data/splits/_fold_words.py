"""Words for folds as people write them, in a column of their table or a file of rows."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import FOLDS, HIDDEN
from relatask.data.splits._validation import TEST, TRAIN, VALID

WORDS = {
    "train": ("train", "training"),
    "valid": ("valid", "val", "validation", "validate", "dev", "development"),
    "test": ("test", "testing", "holdout", "hold-out", "hold_out", "heldout", "held-out", "held_out"),
    HIDDEN: ("hidden", "unused"),
}
KNOWN = {word: fold for fold, words in WORDS.items() for word in words}
_ENDING = re.compile(r"[ _-]*(set|split|fold|subset)$|\.(csv|tsv|parquet|xlsx|sdf)(\.gz)?$")
_NUMBER = re.compile(r"(?:fold|split|part|cv)?[ _-]*([0-9]{1,6})(?:\.0+)?")
_SHOWN = 8  # different words in a message
_MOST_FOLDS = 1000
NO_NUMBER = -1


def folds_of_words(cells: Sequence[Any], what: str, test_word: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Return the fold that each cell names, and its number of a fold where it has one instead.

    Args:
        cells: n texts or numbers; an empty or missing one is hidden.
        what: what messages call them, e.g. "the column 'set'".
        test_word: a word that means test here, whatever it means elsewhere.

    Returns:
        int64 [n], places in FOLDS, -1 for hidden and for a number; int64 [n], numbers, -1 for none.

    Raises:
        RelataskError: a cell is neither a word for a fold nor a number.
    """
    texts: pd.Series = pd.Series(list(cells), dtype=object)
    codes, distinct = pd.factorize(texts.where(texts.notna(), "").astype(str))
    folds, numbers = [], []
    strange: Counter[str] = Counter()
    own = test_word.strip().lower()
    for code, text in enumerate(distinct):
        word = str(text).strip().lower()
        plain = _ENDING.sub("", word)
        number = _NUMBER.fullmatch(word)
        fold = "test" if own and word == own else KNOWN.get(word) or KNOWN.get(plain)
        if fold is None and word and not number:
            strange[str(text)] = int((codes == code).sum()) if len(strange) < 1000 else 1
        folds.append(FOLDS.index(fold) if fold in FOLDS else -1)
        numbers.append(int(number[1]) if number and fold is None else NO_NUMBER)
    if strange:
        found = ", ".join(f"{text[:40]!r} ({count} x)" for text, count in strange.most_common(_SHOWN))
        more = f" and {len(strange) - _SHOWN} others" if len(strange) > _SHOWN else ""
        words = ", ".join(f"{fold} ({', '.join(others[1:3])})" for fold, others in WORDS.items())
        raise RelataskError(
            f"{what} says {found}{more}, which are no folds; write {words}, or numbers of folds from 0, and "
            "leave it empty where an item is not used."
        )
    return np.array(folds, np.int64)[codes], np.array(numbers, np.int64)[codes]


def chosen_folds(
    fold: np.ndarray, number: np.ndarray, seed: int, what: str
) -> tuple[np.ndarray, dict[str, int]]:
    """Return folds, int64 [n], in which the seed says what each number is, and what it says.

    Of k numbered folds, seed s tests that of place s mod k, and the next one is for validation; where there
    are two, none is. If some items are named test, these are tested under every seed, and the fold of place
    s mod k is for validation. All other folds train.

    Args:
        fold: as `folds_of_words` returns it.
        number: likewise.
        seed: of the split.
        what: for messages.

    Raises:
        RelataskError: there is one number alone, or numbers beside items that are named valid.
    """
    there = np.unique(number[number != NO_NUMBER])
    if not len(there):
        return fold, {}
    if len(there) > _MOST_FOLDS:
        raise RelataskError(
            f"{what} holds {len(there)} different numbers, which are no folds; name another column."
        )
    if (fold == VALID).any():
        raise RelataskError(f"{what} holds both numbers of folds and the word valid; write one of them.")
    place = np.searchsorted(there, number)
    numbered = number != NO_NUMBER
    fixed = bool((fold == TEST).any())
    if len(there) == 1 and not fixed:
        raise RelataskError(f"{what} holds one number of a fold, {there[0]}; at least two are needed.")
    found, k = np.where(numbered, TRAIN, fold), len(there)
    facts = {}
    if not fixed:
        found[numbered & (place == seed % k)] = TEST
        facts["tested_fold"] = int(there[seed % k])
    if k > (1 if fixed else 2):
        valid = (seed + (0 if fixed else 1)) % k
        found[numbered & (place == valid)] = VALID
        facts["validation_fold"] = int(there[valid])
    return found, facts
