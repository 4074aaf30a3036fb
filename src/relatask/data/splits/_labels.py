"""Items spread so that the labels of each task are in every part, as far as they suffice."""

import numpy as np
import pandas as pd

_FREE = -1


def spread(
    item_ids: np.ndarray, labels: pd.DataFrame, sizes: np.ndarray, rng: np.random.Generator, least: int
) -> np.ndarray:
    """Return the part of each item, int64 [n]: each has a positive and a negative of each task if it can.

    After `random_filtered_split` of the SGNN-EBM authors: rare tasks choose first, the rest is random and
    fills the parts to their exact sizes. They order tasks by positives; here the rarer class counts,
    because an assay that is nearly all active is as hard to place.

    Args:
        item_ids: ascending, int [n].
        labels: a row for each label.
        sizes: int64 [p], of the parts.
        rng: of the draw.
        least: items of a class; one that has fewer is left to chance.
    """
    room, part = sizes.copy(), np.full(len(item_ids), _FREE)
    for classes in _classes_by_task(item_ids, labels):
        for candidates in classes:
            for target in range(len(sizes)) if len(candidates) >= least else ():
                taken = part[candidates]
                free = candidates[taken == _FREE]
                if room[target] and len(free) and not (taken == target).any():
                    part[free[rng.integers(len(free))]] = target
                    room[target] -= 1
    rest = rng.permutation(np.flatnonzero(part == _FREE))
    part[rest] = np.repeat(np.arange(len(sizes)), room)
    return part


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
