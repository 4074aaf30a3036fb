"""Items in a random order, and of the labels of training only a share: the others are hidden."""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import FOLDS, Fractions, cell_table, task_codes
from relatask.data.splits.random import split as split_randomly

SCHEME = {
    "summary": "as random, and of the labels of training only the share `labels_kept` is there",
    "options": {
        "labels_kept": (0.1, "of the scheme masked: share of the training labels that are not hidden")
    },
}
STREAM = 5  # of draws; each scheme has its own


def split(
    items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions, labels_kept: float
) -> pd.DataFrame:
    """Return table "split": a row for each item, and one for each label that is hidden.

    Of each task the share `labels_kept` of its training labels stays, rounded up, drawn by the seed.

    Raises:
        RelataskError: the share is not in (0, 1].
    """
    if not 0 < labels_kept <= 1:
        raise RelataskError(f"splits.labels_kept: it is above 0 and at most 1, not {labels_kept}.")
    whole = split_randomly(items, labels, seed, fractions)
    training = whole["item_id"][whole["fold"] == "train"]
    tasks, names = task_codes(labels["task_id"])
    item_ids = labels["item_id"].to_numpy()
    cells = np.flatnonzero(np.isin(item_ids, training))
    cells = cells[np.lexsort((item_ids[cells], tasks[cells]))]
    task = tasks[cells]
    draws = np.random.default_rng([seed, STREAM]).random(len(cells))
    sizes = np.bincount(task, minlength=len(names))
    rank = np.empty(len(cells), np.int64)
    rank[np.lexsort((draws, task))] = np.arange(len(cells)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    hidden = cells[rank >= np.ceil(labels_kept * sizes - 1e-9)[task]]
    return cell_table(
        np.r_[whole["item_id"].to_numpy(), item_ids[hidden]],
        np.r_[np.full(len(whole), -1, np.int32), tasks[hidden]],
        names,
        np.r_[whole["fold"].cat.codes.to_numpy(), np.full(len(hidden), len(FOLDS), np.int8)],
    )
