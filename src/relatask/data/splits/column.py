"""The folds that stand in a column of the user's own."""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import FOLDS, HIDDEN, Fractions, column_of, whole_items

SCHEME = {
    "summary": "a column of the items, `column`, says train, valid, test or hidden",
    "options": {"column": ("", "of the schemes column and time: the column of the items that they read")},
}


def split(
    items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions, column: str
) -> pd.DataFrame:
    """Return table "split", the same for every seed; an empty cell is hidden.

    Raises:
        RelataskError: there is no such column, or a cell is none of the folds.
    """
    cells = column_of(items, column, "column").astype(object)
    names = cells.where(cells.notna() & (cells != ""), HIDDEN).astype(str).str.strip().str.lower()
    unknown = ~names.isin([*FOLDS, HIDDEN]).to_numpy()
    if unknown.any():
        place = int(np.argmax(unknown))
        raise RelataskError(
            f"the column {column!r} says {cells.iloc[place]!r} of the item {items['item_id'].iloc[place]}; "
            f"it may say {', '.join(FOLDS)} or {HIDDEN}."
        )
    return whole_items(items, pd.Index(FOLDS).get_indexer(pd.Index(names)))
