"""The folds that stand in a column of the user's own, as words or as numbers of folds."""

import pandas as pd

from relatask.data.splits import Fractions, column_of
from relatask.data.splits._fold_words import NO_NUMBER, chosen_folds, folds_of_words
from relatask.data.splits._validation import named_by_user

SCHEME = {
    "summary": "a column of the items, `column`, says train, valid or test, or the number of a fold: seed "
    "s tests fold s and validates on the next; items whose cell is empty are not used",
    "options": {
        "column": ("", "of the schemes column and time: the column of the items that they read"),
        "valid_by": (
            "random",
            "how validation is drawn from training where none is named: random or scaffold",
        ),
        "test_word": (
            "",
            "of the scheme column: a word that means test here, e.g. valid where no row says test",
        ),
    },
    "choices": {"valid_by": ("random", "scaffold")},
    "required": ("column",),
}


def split(
    items: pd.DataFrame,
    labels: pd.DataFrame,
    seed: int,
    fractions: Fractions,
    column: str,
    valid_by: str,
    test_word: str,
) -> pd.DataFrame:
    """Return table "split"; an item whose cell is empty is hidden.

    Where no item is named for validation, the share valid / (train + valid) of the training items is drawn.

    Raises:
        RelataskError: there is no such column, a cell names no fold, or none names test or train.
    """
    what = f"the column {column!r}"
    cells = column_of(items, column, "column")
    named, number = folds_of_words(cells.tolist(), what, test_word)
    fold, facts = chosen_folds(named, number, seed, what)
    unused = int(((named < 0) & (number == NO_NUMBER)).sum())
    return named_by_user(items, fold, seed, fractions, valid_by, what, {**facts, "left_out": unused})
