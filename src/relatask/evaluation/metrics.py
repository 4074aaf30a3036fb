"""Metrics of tasks of each kind: of labels 0 and 1, of measured values, and of classes.

A study of 10,000 runs has millions of cells to score, so all groups of a batch are computed at once from
arrays sorted by group and score; the tests hold every value against scikit-learn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from relatask.core.kinds import Kind
from relatask.evaluation.early_recognition import bedroc, enrichment
from relatask.evaluation.groups import Groups
from relatask.evaluation.thresholds import Counts, balanced, matthews

ECE_BINS = 10
DENSE = 0.25  # share of cells with a label from which on tasks are sorted one by one


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


def precision_above_prevalence(groups: Groups) -> np.ndarray:
    """Average precision of each group minus the share of its positives, which a random order has."""
    return average_precision(groups) - groups.n_pos / groups.n


def adaptive_ece(groups: Groups) -> np.ndarray:
    """Calibration error of each group with 10 bins of equal numbers of rows (Nguyen and O'Connor, 2015).

    As `ece`, with bin floor(10 r / n) for the row of rank r = 0 .. n - 1 by score, so that scores which crowd
    near 0, as those of rare labels do, are told apart. Rows of one score share their mean label, so their
    order does not matter.
    """
    begins, _ = groups.ties()
    sizes = np.diff(np.append(begins, len(groups.score)))
    label = np.repeat(np.add.reduceat(groups.label, begins) / sizes, sizes)
    rank = np.arange(len(groups.score)) - groups.starts[groups.group]
    cell = groups.group * ECE_BINS + (ECE_BINS * rank // groups.n[groups.group]).astype(np.int64)
    gap = np.bincount(cell, label - groups.score, len(groups.n) * ECE_BINS)
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

    compute: Callable[[Groups], np.ndarray] | None  # groups -> float64 [G]; None: see `of_counts`
    label: str  # name in tables and figures
    higher_is_better: bool
    needs_both_classes: bool  # undefined, or the same for all scores, where one class is absent
    percent: bool  # tables print it times 100
    in_unit: bool = False  # has the unit of its task, so that tasks in several units have no mean
    of: Kind = "binary"  # labels and scores: 0 or 1 and probabilities of 1, measured values, or classes
    # Of a metric of decisions: counts -> float64 [G], at the threshold that is best on the validation fold.
    of_counts: Callable[[Counts], np.ndarray] | None = None
    margin: float | None = (
        0.005  # a difference up to it makes none in practice; None: that depends on the task
    )


METRICS: dict[str, Metric] = {
    "roc_auc": Metric(roc_auc, "ROC-AUC", True, True, True),
    "average_precision": Metric(average_precision, "average precision", True, True, True),
    "brier": Metric(brier, "Brier score", False, False, False),
    "ece": Metric(ece, "calibration error (ECE)", False, False, False),
    "precision_above_prevalence": Metric(
        precision_above_prevalence, "average precision - prevalence", True, True, True
    ),
    "bedroc": Metric(bedroc, "BEDROC (α = 20)", True, True, False),
    "enrichment_1": Metric(
        partial(enrichment, share=0.01), "enrichment at 1 %", True, True, False, margin=None
    ),
    "enrichment_5": Metric(
        partial(enrichment, share=0.05), "enrichment at 5 %", True, True, False, margin=None
    ),
    "adaptive_ece": Metric(adaptive_ece, "calibration error (adaptive)", False, False, False),
    "threshold_mcc": Metric(None, "MCC at validation's threshold", True, True, False, of_counts=matthews),
    "threshold_balanced_accuracy": Metric(
        None, "balanced accuracy at validation's threshold", True, True, True, of_counts=balanced
    ),
    "mae": Metric(mae, "mean absolute error", False, False, False, in_unit=True, of="real", margin=None),
    "rmse": Metric(
        rmse, "root mean squared error", False, False, False, in_unit=True, of="real", margin=None
    ),
    "nrmse": Metric(nrmse, "RMSE / deviation", False, False, False, of="real", margin=0.01),
    "r2": Metric(r2, "R²", True, False, False, of="real", margin=0.01),
    "spearman": Metric(spearman, "Spearman correlation", True, False, False, of="real", margin=0.01),
    "pearson": Metric(pearson, "Pearson correlation", True, False, False, of="real", margin=0.01),
    "accuracy": Metric(accuracy, "accuracy", True, False, True, of="class"),
    "balanced_accuracy": Metric(balanced_accuracy, "balanced accuracy", True, False, True, of="class"),
    "macro_f1": Metric(macro_f1, "macro F1", True, False, True, of="class"),
}


def by_column(metric: Metric, labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return a metric of each of T tasks, float64 [T], NaN where it is undefined.

    Args:
        metric: an entry of `METRICS`, of scores and not of decisions.
        labels: [n, T], NaN where missing.
        scores: [n, T].
    """
    assert metric.compute is not None
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
