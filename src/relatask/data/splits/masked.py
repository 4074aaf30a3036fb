"""Items in a random order, and of the labels of training only a share: the others are hidden.

The settings of L2T-MITTEN (section 5.4, note 3): "All p %" masks every task to p %, "Partially p %" some
tasks that are drawn. The paper does not say how many; half of them, `masked_tasks: 0.5`, is our choice. It
splits 80:20 and names no validation fold, which we take from the 80: with the fractions 0.7, 0.1 and 0.2,
"All 80 %" is `labels_kept: 1.0`. So p is a share of all items, and "All 10 %" is `labels_kept: 0.1429`, a
seventh of the 70. Labels of validation and test are never hidden. Those of validation train no weights, yet
they choose: the epoch, of ACS one for each task, and of `pairwise_kernel` one of up to 42 kernels and
penalties. In "All 10 %" a tenth of all labels trains and another tenth chooses.
"""

import numpy as np
import pandas as pd

from relatask.data.splits import FOLDS, Fractions, cell_table, task_codes
from relatask.data.splits.random import split as split_randomly

SCHEME = {
    "summary": "as random, and of the labels of training only the share `labels_kept` is there",
    "options": {
        "labels_kept": (0.1, "of the scheme masked: share of the training labels that are not hidden"),
        "masked_tasks": (1.0, "of the scheme masked: share of the tasks whose labels are hidden, drawn"),
    },
    "limits": {"labels_kept": (1e-6, 1.0), "masked_tasks": (1e-6, 1.0)},
}
STREAM = 5  # of draws; each scheme has its own


def split(
    items: pd.DataFrame,
    labels: pd.DataFrame,
    seed: int,
    fractions: Fractions,
    labels_kept: float,
    masked_tasks: float,
) -> pd.DataFrame:
    """Return table "split": a row for each item, and one for each label that is hidden.

    Of each masked task the share `labels_kept` of its training labels stays, rounded up, drawn by the seed,
    so a task keeps one label at least, and maybe of one class alone. The share `masked_tasks` of the tasks
    is rounded to the nearest number of tasks, halves upwards, and at least one.
    """
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
    order = np.random.default_rng([seed, STREAM, 1]).permutation(len(names))
    kept = np.ones(len(names))
    kept[order[: max(1, int(masked_tasks * len(names) + 0.5))]] = labels_kept
    hidden = cells[rank >= np.ceil(kept * sizes - 1e-9)[task]]
    return cell_table(
        np.r_[whole["item_id"].to_numpy(), item_ids[hidden]],
        np.r_[np.full(len(whole), -1, np.int32), tasks[hidden]],
        names,
        np.r_[whole["fold"].cat.codes.to_numpy(), np.full(len(hidden), len(FOLDS), np.int8)],
    )
