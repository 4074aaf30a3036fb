"""Both classes of each task in every fold, where a task has enough of them."""

import numpy as np
import pandas as pd

from relatask.data.splits import Fractions, fold_sizes, whole_items

SCHEME = {"summary": "both classes of each task in each fold where possible"}
STREAM = 2  # of draws; each scheme has its own
_FREE = -1


def split(items: pd.DataFrame, labels: pd.DataFrame, seed: int, fractions: Fractions) -> pd.DataFrame:
    """Return table "split": each task has a positive and a negative in every fold if it has enough.

    After `random_filtered_split` of the SGNN-EBM authors: rare tasks choose first, the rest is random and
    fills the folds to their exact sizes. They order tasks by positives; here the rarer class counts,
    because an assay that is nearly all active is as hard to place. A class with fewer than three
    molecules is left to chance.
    """
    rng, room = np.random.default_rng([seed, STREAM]), fold_sizes(len(items), fractions)
    item_ids = items["item_id"].to_numpy()
    fold = np.full(len(item_ids), _FREE)
    for classes in _classes_by_task(item_ids, labels):
        for candidates in classes:
            for target in range(3) if len(candidates) >= 3 else ():
                taken = fold[candidates]
                free = candidates[taken == _FREE]
                if room[target] and len(free) and not (taken == target).any():
                    fold[free[rng.integers(len(free))]] = target
                    room[target] -= 1
    rest = rng.permutation(np.flatnonzero(fold == _FREE))
    fold[rest] = np.repeat(np.arange(3), room)
    return whole_items(items, fold)


def _classes_by_task(item_ids: np.ndarray, labels: pd.DataFrame) -> list[list[np.ndarray]]:
    """Return per task the positions of its rarer and its other class; tasks with the rarest class first."""
    names = labels.task_id.astype("category").cat
    position = np.searchsorted(item_ids, labels.item_id.to_numpy())
    # Sorted by position within a class, so that the order of the label rows does not matter.
    code = 2 * names.codes.to_numpy().astype(np.int64) + (labels.value.to_numpy() > 0.5)
    order = np.lexsort((position, code))
    bounds = np.searchsorted(code[order], np.arange(1, 2 * len(names.categories)))
    classes = np.split(position[order], bounds)
    tasks = [
        (sorted(classes[2 * task : 2 * task + 2], key=len), str(name))
        for task, name in enumerate(names.categories)
    ]
    return [pair for pair, _ in sorted(tasks, key=lambda task: (len(task[0][0]), task[1]))]
