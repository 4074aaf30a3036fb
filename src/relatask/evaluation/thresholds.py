"""Metrics of decisions: a score from a threshold on says 1, and validation chooses the threshold.

Each (run, task) has its own threshold, the one with which the metric is greatest on the validation fold; of
several the highest. A threshold that was chosen on the rows that are judged would flatter.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from relatask.evaluation.groups import Groups


@dataclass(frozen=True)
class Counts:
    """Decisions counted, each float64 [G].

    Attributes:
        true_positive: rows of label 1 that a decision calls 1.
        false_positive: rows of label 0 that it calls 1.
        n_pos: rows of label 1.
        n_neg: rows of label 0.
    """

    true_positive: np.ndarray
    false_positive: np.ndarray
    n_pos: np.ndarray
    n_neg: np.ndarray


def balanced(counts: Counts) -> np.ndarray:
    """Balanced accuracy: mean of the shares of both classes that are called right; NaN without a class."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (counts.true_positive / counts.n_pos + 1 - counts.false_positive / counts.n_neg) / 2


def matthews(counts: Counts) -> np.ndarray:
    """Matthews' correlation of decisions and labels; 0 where all decisions are the same."""
    missed = counts.n_pos - counts.true_positive
    true_negative = counts.n_neg - counts.false_positive
    found = counts.true_positive * true_negative - counts.false_positive * missed
    called = counts.true_positive + counts.false_positive
    below = np.sqrt(called * (missed + true_negative) * counts.n_pos * counts.n_neg)
    return np.where(below > 0, found / np.where(below > 0, below, 1), 0.0)


def best_thresholds(groups: Groups, of_counts: Callable[[Counts], np.ndarray]) -> np.ndarray:
    """Return the threshold of each group with which a metric is greatest, float64 [G]; NaN without a class.

    Args:
        groups: of labels 0 and 1.
        of_counts: the metric, of counts.
    """
    begins, of_group = groups.ties()
    start = groups.starts[of_group]
    before = np.append(0.0, np.cumsum(groups.label))
    n_pos, n_neg = groups.n_pos[of_group], (groups.n - groups.n_pos)[of_group]
    positive = n_pos - (before[begins] - before[start])
    counts = Counts(positive, groups.n[of_group] - (begins - start) - positive, n_pos, n_neg)
    value = np.where((n_pos > 0) & (n_neg > 0), of_counts(counts), -np.inf)
    last = np.lexsort((np.arange(len(begins)), value, of_group))  # of equal values the highest threshold
    last = last[np.append(np.diff(of_group[last]) > 0, True)]
    return np.where(np.isfinite(value[last]), groups.score[begins[last]], np.nan)


def at_thresholds(
    groups: Groups, thresholds: np.ndarray, of_counts: Callable[[Counts], np.ndarray]
) -> np.ndarray:
    """Return a metric of the decisions of each group, float64 [G]; NaN where it has no threshold.

    Args:
        groups: of labels 0 and 1.
        thresholds: float64 [G].
        of_counts: the metric, of counts.
    """
    called = (groups.score >= thresholds[groups.group]).astype(np.float64)
    true_positive = groups.sum(called * groups.label)
    counts = Counts(true_positive, groups.sum(called) - true_positive, groups.n_pos, groups.n - groups.n_pos)
    return np.where(np.isnan(thresholds), np.nan, of_counts(counts))
