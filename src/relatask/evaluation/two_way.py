"""Differences of methods over other molecules and other tasks: a bootstrap of both at once.

The interval over folds asks about other splits of the same data. This one draws molecules and tasks anew,
each with replacement (the pigeonhole bootstrap; Owen, 2007), since tasks share molecules and molecules tasks:
what one molecule does to a hundred tasks is one thing. A metric of drawn molecules is taken to first order,
by what each contributes to it (of ROC-AUC the structural components of DeLong et al., 1988), so a draw is a
weighted sum and nothing is sorted again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from relatask.evaluation.groups import Groups

DRAWS = 1000
LEVEL = 95.0  # percent
CELLS = 20_000_000  # of drawn items at a time
Interval = tuple[float, ...]
NOTHING: Interval = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Contributions:
    """What each cell of a test fold contributes to the metric of its task.

    Attributes:
        item: int64 [n], positions among the items of the data set.
        task: int64 [n], positions among its tasks; cells are sorted by task, then item.
        value: float64 [T], the metric of each task; NaN where it is undefined.
        share: float64 [n], its derivative by the weight of the cell's item.
    """

    item: np.ndarray
    task: np.ndarray
    value: np.ndarray
    share: np.ndarray


def roc_auc_shares(label: np.ndarray, score: np.ndarray, task: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ROC-AUC of each task that occurs, and what each cell contributes, float64 [n].

    A positive contributes (share of negatives below it - AUC) / positives, a negative (share of positives
    above it - AUC) / negatives; ties count half.

    Args:
        label: float64 [n], 0 or 1.
        score: float64 [n].
        task: int64 [n], ascending.

    Returns:
        float64 [occurring tasks], NaN where a class is absent, and float64 [n].
    """
    order = np.lexsort((score, task))
    groups = Groups.of_sorted(task[order], label[order], score[order])
    begins, of_run = groups.ties()
    sizes = np.diff(np.append(begins, len(order)))
    positives = np.add.reduceat(groups.label, begins)
    before = np.append(0.0, np.cumsum(groups.label))[begins]
    start = groups.starts[of_run]
    positives_below = before - np.append(0.0, np.cumsum(groups.label))[start]
    negatives_below = (begins - start) - positives_below
    n_pos, n_neg = groups.n_pos[of_run], (groups.n - groups.n_pos)[of_run]
    with np.errstate(invalid="ignore", divide="ignore"):
        of_positive = (negatives_below + (sizes - positives) / 2) / n_neg
        of_negative = (n_pos - positives_below - positives / 2) / n_pos
        auc = np.bincount(of_run, of_positive * positives, len(groups.n)) / groups.n_pos
        both = (groups.n_pos > 0) & (groups.n_pos < groups.n)
        auc = np.where(both, auc, np.nan)
        placed = np.where(
            groups.label == 1,
            (np.repeat(of_positive, sizes) - auc[groups.group]) / groups.n_pos[groups.group],
            (np.repeat(of_negative, sizes) - auc[groups.group]) / (groups.n - groups.n_pos)[groups.group],
        )
    share = np.empty(len(order))
    share[order] = np.nan_to_num(placed)
    return auc, share


def mean_shares(error: np.ndarray, task: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of `error` over each task that occurs, and what each cell contributes, float64 [n].

    Args:
        error: float64 [n], such as squared differences of score and label.
        task: int64 [n], ascending.
    """
    _, place, counts = np.unique(task, return_inverse=True, return_counts=True)
    mean = np.bincount(place, error) / counts
    return mean, (error - mean[place]) / counts[place]


def contributions(
    item: np.ndarray, task: np.ndarray, label: np.ndarray, score: np.ndarray, metric: str, n_tasks: int
) -> Contributions:
    """Return the contributions of the cells of a test fold.

    Args:
        item: int64 [n].
        task: int64 [n].
        label: float64 [n].
        score: float64 [n].
        metric: a key of `SHARES`.
        n_tasks: of the data set.
    """
    order = np.lexsort((item, task))
    item, task, label, score = (values[order] for values in (item, task, label, score))
    found, share = SHARES[metric](label, score, task)
    value = np.full(n_tasks, np.nan)
    value[np.unique(task)] = found
    return Contributions(item, task, value, share)


SHARES = {
    "roc_auc": roc_auc_shares,
    "brier": lambda label, score, task: mean_shares((score - label) ** 2, task),
    "mae": lambda label, score, task: mean_shares(np.abs(score - label), task),
    "accuracy": lambda label, score, task: mean_shares((score == label).astype(np.float64), task),
}


def intervals(
    methods: Mapping[str, Sequence[Contributions | None]],
    pairs: Sequence[tuple[str, str]],
    n_items: int,
    draws: int = DRAWS,
) -> dict[tuple[str, str], Interval]:
    """Return the 95 % interval of the mean difference of each pair of methods over folds and tasks.

    Args:
        methods: label -> its contributions on each fold, None where it was not tested; of all the same cells.
        pairs: of labels.
        n_items: that are drawn, whose positions the contributions name.
        draws: of items and tasks, the same for all pairs.

    Returns:
        NaN both where no task has a value of both.
    """
    if not pairs or not n_items:  # e.g. of few-shot episodes, whose classes are no tasks
        return dict.fromkeys(pairs, NOTHING)
    differences = {pair: _differences(methods[pair[0]], methods[pair[1]], n_items) for pair in pairs}
    n_tasks = next((len(one.value) for own in methods.values() for one in own if one is not None), 0)
    rng = np.random.default_rng(0)
    found: dict[tuple[str, str], list[np.ndarray]] = {pair: [] for pair in pairs}
    for start in range(0, draws, block := max(1, CELLS // max(n_items, 1))):
        size = min(block, draws - start)
        items = rng.multinomial(n_items, np.full(n_items, 1 / n_items), size) - 1.0
        tasks = rng.multinomial(n_tasks, np.full(n_tasks, 1 / n_tasks), size).astype(np.float64)
        for pair, folds in differences.items():
            found[pair].append(_drawn(folds, items, tasks))
    ends = [(100 - LEVEL) / 2, (100 + LEVEL) / 2]
    return {
        pair: tuple(np.nanpercentile(np.concatenate(own), ends).tolist()) if differences[pair] else NOTHING
        for pair, own in found.items()
    }


def _differences(
    one: Sequence[Contributions | None], other: Sequence[Contributions | None], n_items: int
) -> list[tuple[np.ndarray, np.ndarray, sparse.csr_array]]:
    """Return of each fold: the tasks with a value of both, their differences, and the items' shares."""
    found = []
    for a, b in zip(one, other, strict=True):
        if a is None or b is None:
            continue
        known = ~np.isnan(a.value - b.value)
        if known.any():
            cells = sparse.csr_array((a.share - b.share, (a.item, a.task)), shape=(n_items, len(known)))
            found.append((known, (a.value - b.value)[known], cells[:, known]))
    return found


def _drawn(
    folds: Sequence[tuple[np.ndarray, np.ndarray, sparse.csr_array]], items: np.ndarray, tasks: np.ndarray
) -> np.ndarray:
    """Return the mean difference of each draw, float64 [draws]."""
    total = np.zeros(len(items))
    for known, difference, cells in folds:
        weights = tasks[:, known]
        with np.errstate(invalid="ignore"):  # a draw without any of the tasks has no mean
            total += (weights * (items @ cells + difference)).sum(1) / weights.sum(1)
    return total / max(len(folds), 1)


def averaged(restarts: Sequence[Contributions]) -> Contributions:
    """Return the mean of the contributions of several trainings on one fold."""
    first = restarts[0]
    value = np.mean([one.value for one in restarts], axis=0)
    return Contributions(first.item, first.task, value, np.mean([one.share for one in restarts], axis=0))
