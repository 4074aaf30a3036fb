"""Metrics of tasks of each kind: of labels 0 and 1, of measured values, and of classes.

A study of 10,000 runs has millions of cells to score, so all groups of a batch are computed at once from
arrays sorted by group and score; the tests hold every value against scikit-learn.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from relatask.core.kinds import Kind

ECE_BINS = 10
DENSE = 0.25  # share of cells with a label from which on tasks are sorted one by one


@dataclass(frozen=True)
class Groups:
    """Labels and scores of many groups, sorted by group and, within one, by ascending score.

    Attributes:
        starts: int64 [G], position of each group's first row.
        group: int64 [N], group of each row, 0 to G - 1.
        label: float64 [N], 0 or 1.
        score: float64 [N], probability of label 1.
        n: float64 [G], rows of each group.
        n_pos: float64 [G], rows with label 1.
    """

    starts: np.ndarray
    group: np.ndarray
    label: np.ndarray
    score: np.ndarray
    n: np.ndarray
    n_pos: np.ndarray

    @classmethod
    def of_sorted(cls, key: np.ndarray, label: np.ndarray, score: np.ndarray) -> "Groups":
        """Group rows sorted by (key, score); rows with one key form a group."""
        first = np.ones(len(key), bool)
        first[1:] = key[1:] != key[:-1]
        starts = np.flatnonzero(first)
        label = label.astype(np.float64)
        n = np.diff(np.append(starts, len(key))).astype(np.float64)
        n_pos = np.add.reduceat((label == 1).astype(np.float64), starts)
        return cls(starts, np.cumsum(first) - 1, label, score.astype(np.float64), n, n_pos)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values` [N] over each group, [G]."""
        return np.add.reduceat(values, self.starts)

    def ties(self) -> tuple[np.ndarray, np.ndarray]:
        """First row of each run of equal scores within a group, and the group of each such run."""
        first = np.ones(len(self.score), bool)
        first[1:] = (self.score[1:] != self.score[:-1]) | (self.group[1:] != self.group[:-1])
        begins = np.flatnonzero(first)
        return begins, self.group[begins]


def roc_auc(groups: Groups) -> np.ndarray:
    """Area under the ROC curve of each group: the chance that a positive outscores a negative.

    AUC = (R - P (P + 1) / 2) / (P N) with R the sum of the positives' ranks (ties share their mean
    rank), P positives and N negatives (Hanley and McNeil 1982). NaN where a class is absent.
    """
    begins, of_group = groups.ties()
    ends = np.append(begins[1:], len(groups.score))
    rank = (begins + ends + 1) / 2 - groups.starts[of_group]
    positives = np.add.reduceat(groups.label, begins)
    rank_sum = np.bincount(of_group, rank * positives, len(groups.n))
    n_pos, n_neg = groups.n_pos, groups.n - groups.n_pos
    with np.errstate(invalid="ignore", divide="ignore"):
        return (rank_sum - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)


def average_precision(groups: Groups) -> np.ndarray:
    """Average precision of each group: sum over thresholds of (R_k - R_(k-1)) P_k.

    A threshold lies below each distinct score; R is recall and P precision, without interpolation.
    """
    begins, of_group = groups.ties()
    start = groups.starts[of_group]
    before = np.append(0.0, np.cumsum(groups.label))
    above = groups.n_pos[of_group] - (before[begins] - before[start])
    predicted = groups.n[of_group] - (begins - start)
    positives = np.add.reduceat(groups.label, begins)
    area = np.bincount(of_group, positives * above / predicted, len(groups.n))
    with np.errstate(invalid="ignore", divide="ignore"):
        return area / groups.n_pos


def brier(groups: Groups) -> np.ndarray:
    """Mean squared difference between score and label of each group (Brier 1950)."""
    return groups.sum((groups.score - groups.label) ** 2) / groups.n


def ece(groups: Groups) -> np.ndarray:
    """Expected calibration error of each group with 10 bins of equal width.

    ECE = sum_b (n_b / n) |mean label in b - mean score in b|, where bin b of 0..9 holds the scores in
    [b / 10, (b + 1) / 10) and the last bin also holds 1 (Naeini et al. 2015; Guo et al. 2017).
    """
    cell = groups.group * ECE_BINS + np.minimum((groups.score * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gap = np.bincount(cell, groups.label - groups.score, len(groups.n) * ECE_BINS)
    return np.abs(gap).reshape(-1, ECE_BINS).sum(axis=1) / groups.n


def mae(groups: Groups) -> np.ndarray:
    """Mean absolute difference of score and label, measured values both, of each group."""
    return groups.sum(np.abs(groups.score - groups.label)) / groups.n


def accuracy(groups: Groups) -> np.ndarray:
    """Share of the rows of each group whose score, the class that is predicted, is their label."""
    return groups.sum((groups.score == groups.label).astype(np.float64)) / groups.n


def rmse(groups: Groups) -> np.ndarray:
    """Root of the mean squared difference of score and label of each group."""
    return np.sqrt(groups.sum((groups.score - groups.label) ** 2) / groups.n)


def nrmse(groups: Groups) -> np.ndarray:
    """Root mean squared error of each group over the population deviation of its labels: 1 is as the mean.

    It is sqrt(1 - R²) and has no unit, so tasks in several units have a mean. NaN where all labels are equal.
    """
    return np.sqrt(_unexplained(groups))


def r2(groups: Groups) -> np.ndarray:
    """Coefficient of determination of each group: 1 - squared errors / squared deviations from the mean.

    The mean is that of the group's own labels, as scikit-learn's `r2_score`, and not that of training, so it
    is below 0 where the scores are worse than that mean. NaN where all labels are equal.
    """
    return 1 - _unexplained(groups)


def _unexplained(groups: Groups) -> np.ndarray:
    """Squared errors of each group over squared deviations from its mean, [G]; NaN where there are none."""
    mean = groups.sum(groups.label) / groups.n
    total = groups.sum((groups.label - mean[groups.group]) ** 2)
    left = groups.sum((groups.score - groups.label) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, left / total, np.nan)


def pearson(groups: Groups) -> np.ndarray:
    """Correlation of scores and labels of each group (Pearson, 1895); NaN where either are all equal."""
    return _correlation(groups, groups.label, groups.score)


def spearman(groups: Groups) -> np.ndarray:
    """Correlation of the ranks of scores and labels of each group, ties at their mean rank (Spearman, 1904).

    NaN where all labels, or all scores, are equal.
    """
    order = np.lexsort((groups.label, groups.group))
    of_labels = np.empty(len(order))
    of_labels[order] = _ranks(groups.label[order], groups.group[order])
    of_scores = _ranks(groups.score, groups.group)
    return _correlation(groups, of_labels, of_scores)


def _correlation(groups: Groups, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pearson's correlation of values [N] within each group, [G]; NaN where either are all equal."""
    centred = [values - (groups.sum(values) / groups.n)[groups.group] for values in (one, other)]
    covariance = groups.sum(centred[0] * centred[1])
    spread = np.sqrt(groups.sum(centred[0] ** 2) * groups.sum(centred[1] ** 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, covariance / spread, np.nan)


def _ranks(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Mean ranks of values sorted by group and value, counted through all groups."""
    first = np.ones(len(values), bool)
    first[1:] = (values[1:] != values[:-1]) | (group[1:] != group[:-1])
    begins = np.flatnonzero(first)
    ends = np.append(begins[1:], len(values))
    return ((begins + ends - 1) / 2)[np.cumsum(first) - 1]


def balanced_accuracy(groups: Groups) -> np.ndarray:
    """Mean over the classes that are labels of a group of the share of each that is predicted (recall)."""
    cells, inverse = np.unique(np.stack([groups.group, groups.label]), axis=1, return_inverse=True)
    inverse = inverse.ravel()
    right = np.bincount(inverse, groups.label == groups.score, cells.shape[1]) / np.bincount(inverse)
    of_group = cells[0].astype(np.int64)
    return np.bincount(of_group, right, len(groups.n)) / np.bincount(of_group, minlength=len(groups.n))


def macro_f1(groups: Groups) -> np.ndarray:
    """Mean over classes of 2 TP / (2 TP + FP + FN) of each group; classes that are labels or scores there."""
    cells = np.concatenate(
        [np.stack([groups.group, groups.label]), np.stack([groups.group, groups.score])], 1
    )
    found, inverse = np.unique(cells, axis=1, return_inverse=True)
    inverse = inverse.ravel()
    times = np.bincount(inverse, minlength=found.shape[1])  # 2 TP + FP + FN: as a label and as a score
    right = groups.label == groups.score
    hits = np.bincount(inverse[: len(right)][right], minlength=found.shape[1])
    of_group = found[0].astype(np.int64)
    total = np.bincount(of_group, 2 * hits / times, len(groups.n))
    return total / np.bincount(of_group, minlength=len(groups.n))


@dataclass(frozen=True)
class Metric:
    """A metric and what its readers must know about it."""

    compute: Callable[[Groups], np.ndarray]  # groups -> float64 [G]
    label: str  # name in tables and figures
    higher_is_better: bool
    needs_both_classes: bool  # undefined, or the same for all scores, where one class is absent
    percent: bool  # tables print it times 100
    in_unit: bool = False  # has the unit of its task, so that tasks in several units have no mean
    of: Kind = "binary"  # labels and scores: 0 or 1 and probabilities of 1, measured values, or classes


METRICS: dict[str, Metric] = {
    "roc_auc": Metric(roc_auc, "ROC-AUC", True, True, True),
    "average_precision": Metric(average_precision, "average precision", True, True, True),
    "brier": Metric(brier, "Brier score", False, False, False),
    "ece": Metric(ece, "calibration error (ECE)", False, False, False),
    "mae": Metric(mae, "mean absolute error", False, False, False, in_unit=True, of="real"),
    "rmse": Metric(rmse, "root mean squared error", False, False, False, in_unit=True, of="real"),
    "nrmse": Metric(nrmse, "RMSE / deviation", False, False, False, of="real"),
    "r2": Metric(r2, "R²", True, False, False, of="real"),
    "spearman": Metric(spearman, "Spearman correlation", True, False, False, of="real"),
    "pearson": Metric(pearson, "Pearson correlation", True, False, False, of="real"),
    "accuracy": Metric(accuracy, "accuracy", True, False, True, of="class"),
    "balanced_accuracy": Metric(balanced_accuracy, "balanced accuracy", True, False, True, of="class"),
    "macro_f1": Metric(macro_f1, "macro F1", True, False, True, of="class"),
}


def by_column(metric: Metric, labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return a metric of each of T tasks, float64 [T], NaN where it is undefined.

    Args:
        metric: an entry of `METRICS`.
        labels: [n, T], NaN where missing.
        scores: [n, T].
    """
    found, known = np.full(labels.shape[1], np.nan), ~np.isnan(labels.T)
    if not known.any():
        return found
    if known.mean() > DENSE:  # each task is sorted with its missing labels, which is faster than all in one
        order = np.argsort(scores.T, axis=1)
        known = np.take_along_axis(known, order, 1)
        label, score = (np.take_along_axis(values.T, order, 1)[known] for values in (labels, scores))
        column = np.nonzero(known)[0]
    else:
        column, row = np.nonzero(known)
        label, score = labels[row, column], scores[row, column]
        order = np.lexsort((score, column))
        column, label, score = column[order], label[order], score[order]
    groups = Groups.of_sorted(column, label, score)
    values = metric.compute(groups)
    if metric.needs_both_classes:
        values = np.where((groups.n_pos == 0) | (groups.n_pos == groups.n), np.nan, values)
    found[column[groups.starts]] = values
    return found
