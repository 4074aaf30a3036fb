"""Items by a date or number of their own: the oldest for training, the newest for test."""

from typing import Any

import numpy as np
import pandas as pd

from relatask.data.splits import Fractions, column_of, fold_sizes, whole_items, with_facts
from relatask.data.splits._dates import said, times_of

SCHEME = {
    "summary": "by a column of dates, years or numbers, `column`: the oldest train, the newest test; items "
    "without one are not used",
    "options": {"column": ("", "of the schemes column and time: the column of the items that they read")},
    "required": ("column",),
}


def split(
    items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions, column: str
) -> pd.DataFrame:
    """Return table "split", the same for every seed; of equal dates the first item is the older one.

    Its record says with which date validation and test begin, and how many items before have the same one.

    Raises:
        RelataskError: there is no such column, or a cell is neither a date nor a number.
    """
    times, are_dates = times_of(column_of(items, column, "time").tolist(), f"the column {column!r}")
    known = np.flatnonzero(~np.isnan(times))
    order = known[np.argsort(times[known], kind="stable")]
    sizes = fold_sizes(len(known), fractions)
    fold = np.full(len(items), -1, np.int64)
    fold[order] = np.repeat(np.arange(3), sizes)
    facts: dict[str, Any] = {"left_out": len(items) - len(known)}
    for name, start in (("valid", sizes[0]), ("test", sizes[0] + sizes[1])):
        cut = times[order[start]]
        facts |= {
            f"{name}_from": said(cut, are_dates),
            f"before_{name}_of_that_time": int((times[order[:start]] == cut).sum()),
        }
    return with_facts(whole_items(items, fold), **facts)
