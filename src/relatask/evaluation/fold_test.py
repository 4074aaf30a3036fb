"""Which of two methods is ahead, fold by fold, where several are compared on the same folds.

A fold is one look: its difference is the mean over tasks. Tasks of one fold share molecules, and rank tests
that take each task for a look find differences between trainings of one network that differ in nothing but
random numbers (32 % of pairs on KIBA). Folds of one data set share training items, so their differences vary
less than those on new data would: Nadeau and Bengio (2003, equation 8) add the share of test items to 1 / n.

Several methods are compared at once: repeated-measures ANOVA and Tukey's HSD, as Ash et al. (JCIM 2025) have
it, of two methods the corrected resampled t-test. The variance that all pairs share is taken for a pair too,
but not where the pair itself varies more: a row that swings would be told apart from others that it equals.
Of seven equal methods on five folds, of which one has three times the deviation, some pair is found
different in 13 % with the shared variance, in 14 % with each pair's own, in 7 % with the greater of both;
where all have one, in 5, 14 and 4 %.

False positives at the level 0.05 of two methods that are equally good on new data (nearest mean of classes
on two sets of features of equal worth), as tests/evaluation/test_fold_test.py simulates them (10,000 pools of
120 items, 10 splits of each into 70 % and 20 %): folds taken for independent 0.247, this test 0.036. Of real
twin trainings: benchmarks/null_calibration.py.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.stats import studentized_range

LEVEL = 0.05  # that any of the compared intervals misses the true difference
LEAST_FOLDS = 3
EQUAL = 1e-12  # differences that are apart by less than this share of them are equal but for rounding
Verdict = Literal["better", "worse", "equal", "undecided"]
NOT_DECIDED: Verdict = "undecided"


@dataclass(frozen=True)
class Family:
    """Methods that are compared on the same folds.

    Attributes:
        n_methods: how many.
        variance: of a difference of two of them, what all pairs share; 0 where folds are too few.
        freedom: degrees of freedom of that variance.
    """

    n_methods: int
    variance: float
    freedom: int

    @classmethod
    def of(cls, values: np.ndarray) -> "Family":
        """Return the family of values [n folds, k methods], with the error of repeated-measures ANOVA."""
        n, k = values.shape
        if n < 2 or k < 2:
            return cls(max(k, 2), 0.0, 0)
        left = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
        freedom = (n - 1) * (k - 1)
        return cls(k, 2 * float((left**2).sum()) / freedom, freedom)


def interval(differences: np.ndarray, family: Family, test_to_train: float) -> tuple[float, float]:
    """Return the simultaneous 95 % interval of the mean difference of two of several methods.

    mean ± q / √2 · √((1 / n + test_to_train) variance) with q the quantile of the studentized range of the
    family's methods.

    Args:
        differences: of each fold, float64 [n].
        family: the methods that are compared on these folds.
        test_to_train: items for test over items for training; 0 takes folds for independent.

    Returns:
        NaN both where there are fewer than three folds; the mean twice where nothing varies.
    """
    n, mean = len(differences), float(np.mean(differences)) if len(differences) else math.nan
    if n < LEAST_FOLDS:
        return math.nan, math.nan
    own = float(np.var(differences, ddof=1))
    if np.ptp(differences) <= EQUAL * np.abs(differences).max():
        own = 0.0
    variance = max(own, family.variance)
    half = quantile(family.n_methods, max(family.freedom, n - 1)) if variance else 0.0
    half *= math.sqrt((1 / n + test_to_train) * variance)
    return mean - half, mean + half


@lru_cache(maxsize=1024)
def quantile(n_methods: int, freedom: int) -> float:
    """Return q / √2 of Tukey's intervals: Student's quantile for two methods."""
    return float(studentized_range.ppf(1 - LEVEL, n_methods, freedom)) / math.sqrt(2)


def verdict_of(low: float, high: float, margin: float | None, higher_is_better: bool = True) -> Verdict:
    """Return what an interval of a difference says.

    Args:
        low: its lower end, NaN where there is none.
        high: its upper end.
        margin: differences up to it make no difference in practice; None: each may.
        higher_is_better: of the metric.

    Returns:
        equal where the whole interval is within the margin; else better or worse where it has one sign; else
        undecided.
    """
    if math.isnan(low) or math.isnan(high):
        return NOT_DECIDED
    if margin is not None and -margin <= low and high <= margin:
        return "equal"
    if low > 0 or high < 0:
        return "better" if (low > 0) == higher_is_better else "worse"
    return NOT_DECIDED
