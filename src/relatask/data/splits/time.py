"""Items by a date or number of their own: the oldest for training, the newest for test."""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import Fractions, column_of, fold_sizes, whole_items

SCHEME = {
    "summary": "by a column of dates or numbers, `column`: the oldest train, the newest test",
    "options": {"column": ("", "of the schemes column and time: the column of the items that they read")},
}


def split(
    items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions, column: str
) -> pd.DataFrame:
    """Return table "split", the same for every seed; of equal dates the first item is the older one.

    Raises:
        RelataskError: there is no such column, or a cell is neither a date nor a number.
    """
    cells = column_of(items, column, "time")
    times = pd.to_numeric(cells, errors="coerce")
    if times.isna().any():
        dates = pd.to_datetime(cells, errors="coerce", format="ISO8601", utc=True)
        if dates.isna().any():
            neither = dates.isna() & times.isna()
            place = int(np.argmax(neither if neither.any() else dates.isna()))
            raise RelataskError(
                f"the column {column!r} says {cells.iloc[place]!r} of the item "
                f"{items['item_id'].iloc[place]}, which is neither a number nor a date such as 2024-05-31."
            )
        times = dates.astype("int64")
    fold = np.empty(len(items), np.int64)
    order = np.argsort(times.to_numpy(), kind="stable")
    fold[order] = np.repeat(np.arange(3), fold_sizes(len(items), fractions))
    return whole_items(items, fold)
