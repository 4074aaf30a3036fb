"""The folds that a file of the user's own gives to rows of the data, as chemprop's --splits-file."""

from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import Fractions
from relatask.data.splits._fold_words import chosen_folds, folds_of_words
from relatask.data.splits._validation import named_by_user

SCHEME = {
    "summary": "a file, `path`, says which rows of the data, or ids, are in which fold; of several splits "
    "in it, seed s takes s mod their number",
    "options": {
        "path": (
            "",
            "of the scheme rows: JSON as chemprop's --splits-file, or a table of row (from 0) or id, and "
            "fold",
        ),
        "valid_by": (
            "random",
            "how validation is drawn from training where none is named: random or scaffold",
        ),
    },
    "choices": {"valid_by": ("random", "scaffold")},
    "files": ("path",),
    "reads": ("rows", "row_folds"),
    "required": ("path",),
}
_SHOWN = 20  # molecules that a record names


def split(
    items: pd.DataFrame,
    labels: pd.DataFrame,
    seed: int,
    fractions: Fractions,
    path: str,
    valid_by: str,
    rows: pd.DataFrame,
    row_folds: list[pd.DataFrame],
) -> pd.DataFrame:
    """Return table "split"; items of which no row is named are hidden.

    Rows of one molecule are one item. Where they are named in several folds it is tested, or else validated,
    and never trained; the record counts such items and names their rows.

    Args:
        items: as of every scheme.
        labels: likewise.
        seed: likewise, and which of several splits.
        fractions: only for validation, where the file names none.
        path: of the file, for messages.
        valid_by: how validation is drawn then.
        rows: table "rows" of the source: the id of each row, and its item where it has one.
        row_folds: the splits of the file, see `relatask.sources.fold_files`.

    Raises:
        RelataskError: an id is unknown, a word names no fold, or no row is for training or none for test.
    """
    named = row_folds[seed % len(row_folds)]
    word, number = folds_of_words(named["fold"].tolist(), path)
    fold, facts = chosen_folds(word, number, seed, path)
    place = _places(named, rows, path)
    row, fold = place[:, 0], fold[place[:, 1]]
    item = rows["item_id"].astype("Float64").fillna(-1).to_numpy(np.int64)[row]
    at = pd.Index(items["item_id"]).get_indexer(pd.Index(item))
    used = (at >= 0) & (fold >= 0)
    found = np.full(len(items), -1, np.int64)
    np.maximum.at(found, at[used], fold[used])
    counts: dict[str, Any] = {
        "split_of_file": seed % len(row_folds),
        "rows_named": len(named),
        "rows_of_no_item": int((at < 0).sum()),
        "left_out": int((found < 0).sum()),
        **_in_several(at[used], fold[used], row[used]),
    }
    return named_by_user(items, found, seed, fractions, valid_by, path, {**counts, **facts})


def _places(named: pd.DataFrame, rows: pd.DataFrame, path: str) -> np.ndarray:
    """Return the row of the data and the position in `named` of each row that is named, int64 [n, 2].

    Raises:
        RelataskError: an id is unknown.
    """
    if "row" in named:
        return np.c_[named["row"].to_numpy(np.int64), np.arange(len(named))]
    codes = pd.Index(named["id"]).get_indexer(pd.Index(rows["source_id"].astype(object)))
    unknown = np.setdiff1d(np.arange(len(named)), codes)
    if len(unknown):
        shown = ", ".join(repr(named["id"].iloc[position]) for position in unknown[:5])
        raise RelataskError(
            f"{path} names {len(unknown)} ids that no row of the data has, such as {shown}; correct them, "
            "and name the column of ids in the source's id_column."
        )
    there = np.flatnonzero(codes >= 0)
    return np.c_[there, codes[there]]


def _in_several(item: np.ndarray, fold: np.ndarray, row: np.ndarray) -> dict[str, Any]:
    """Count the items whose rows are in several folds, and name the rows of the first of them."""
    order = np.lexsort((row, item))
    item, fold, row = item[order], fold[order], row[order]
    starts = np.flatnonzero(np.diff(item, prepend=-1) != 0)
    if not len(starts):
        return {}
    differ = np.flatnonzero(np.maximum.reduceat(fold, starts) != np.minimum.reduceat(fold, starts))
    if not len(differ):
        return {}
    ends = np.append(starts[1:], len(item))
    shown = [row[starts[one] : ends[one]].tolist() for one in differ[:_SHOWN]]
    return {"in_several_folds": len(differ), "rows_in_several_folds": shown}
