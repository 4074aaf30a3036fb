"""Whole groups of items, such as alphabets of characters or projects, drawn by the seed."""

import numpy as np
import pandas as pd

from relatask.core.columns.data import GROUPINGS
from relatask.core.errors import RelataskError
from relatask.data.splits import FOLDS, Fractions, column_of, whole_items

SCHEME = {
    "summary": "whole groups are drawn: of images with one class each, groups of classes such as "
    "alphabets; with `by`, values of a column",
    "options": {
        "by": (
            "",
            "of the schemes cross_validation, leave_out and grouped: what stays together; scaffold, "
            "butina, or a column of the items such as a project; of cross_validation also labels: both "
            "classes of each task in each fold where possible",
        )
    },
}


def split(
    items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions, by: str
) -> pd.DataFrame:
    """Return table "split": items of one value of the column `by`, or else `group`, are in one fold.

    The size of a group is its number of classes where the items have a column `class`, else of items.

    Raises:
        RelataskError: there are too few groups, or `by` names what a scheme of its own splits by.
    """
    if by in GROUPINGS:
        raise RelataskError(f"splits.by: use the scheme {by}; grouped draws values of a column.")
    column = column_of(items, by or "group", "grouped").astype(object)
    alone = "item " + items["item_id"].astype(str)
    groups, group_of = np.unique(column.where(column.notna() & (column != ""), alone), return_inverse=True)
    unit = items["class"] if "class" in items else items["item_id"]
    parts = pd.DataFrame({"group": group_of, "unit": unit.astype(object)}).drop_duplicates()
    sizes = np.bincount(parts["group"], minlength=len(groups))
    return whole_items(items, draw_groups(sizes, fractions, seed)[group_of])


def draw_groups(sizes: np.ndarray, fractions: Fractions, seed: int) -> np.ndarray:
    """Return the fold of each group, int64 [G]: whole groups, drawn by the seed.

    Test, then validation, take groups while that brings their size nearer to their share, one group at least.

    Args:
        sizes: int64 [G].
        fractions: of train, valid and test.
        seed: of the draw.

    Raises:
        RelataskError: there are fewer than three groups.
    """
    if len(sizes) < len(FOLDS):
        raise RelataskError(
            f"splits.schemes: grouped needs a group for each fold, but there are {len(sizes)}; use another "
            "scheme, or more data."
        )
    order = np.random.default_rng(seed).permutation(len(sizes)).tolist()
    fold = np.zeros(len(sizes), np.int64)
    for number, left_over in ((2, 2), (1, 1)):
        wanted, count = fractions[number] * sizes.sum(), 0
        while len(order) > left_over and (
            not count or abs(count + sizes[order[0]] - wanted) < wanted - count
        ):
            fold[order[0]] = number
            count += sizes[order.pop(0)]
    return fold
