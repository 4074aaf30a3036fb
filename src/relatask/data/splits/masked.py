"""Items in a random order, and of the labels of training only a share: the others are hidden."""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import HIDDEN, Fractions
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
    tasks = pd.Categorical(labels["task_id"].astype(str))
    cells = pd.DataFrame({"item_id": labels["item_id"].to_numpy(), "task": tasks.codes})
    cells = cells[cells["item_id"].isin(training)].sort_values(["task", "item_id"], kind="stable")
    task = cells["task"].to_numpy()
    draws = np.random.default_rng([seed, STREAM]).random(len(cells))
    order = np.lexsort((draws, task))
    sizes = np.bincount(task, minlength=len(tasks.categories))
    rank = np.empty(len(cells), np.int64)
    rank[order] = np.arange(len(cells)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    hidden = cells[rank >= np.ceil(labels_kept * sizes - 1e-9)[task]]
    names = whole["fold"].cat.categories
    rows = pd.DataFrame(
        {
            "item_id": hidden["item_id"].to_numpy(),
            "task_id": tasks.categories[hidden["task"]].astype(object),
            "fold": pd.Categorical([HIDDEN] * len(hidden), names),
        }
    )
    table = pd.concat([whole, rows], ignore_index=True)
    return table.sort_values(["item_id", "task_id"], na_position="first", ignore_index=True)
