"""A t-test for differences over random splits of the same items, which are not independent.

Two splits of one pool share most of their training items, so the differences of two methods over k splits
vary less than over k pools would, and a paired t-test finds differences where there are none. Nadeau and
Bengio (2003), "Inference for the generalization error", add the share of test items to 1 / k (equation 8).

False positives at the level 0.05 of two equal methods (nearest mean of classes on two sets of features of
equal worth), as tests/evaluation/test_resampled.py simulates them (10,000 pools of 120 items, 10 splits of
each into 70 % and 20 %): the paired t-test 0.247, this test 0.036.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

EQUAL = 1e-12  # differences that are apart by less than this share of them are equal but for rounding


def corrected_t_test(differences: np.ndarray, test_to_train: float) -> tuple[float, float]:
    """Return the statistic and the two-sided p value that the mean difference is 0.

    The statistic is mean / sqrt((1 / k + n_test / n_train) variance) with the unbiased variance, and
    Student's t with k - 1 degrees of freedom its distribution.

    Args:
        differences: of each of k random splits, float64 [k].
        test_to_train: items for test over items for training; 0 gives the paired t-test.

    Returns:
        NaN both where there are fewer than two splits or all differences are equal.
    """
    k = len(differences)
    if k < 2 or np.ptp(differences) <= EQUAL * np.abs(differences).max():
        return math.nan, math.nan
    error = math.sqrt((1 / k + test_to_train) * np.var(differences, ddof=1))
    statistic = float(np.mean(differences)) / error
    return statistic, float(2 * student.sf(abs(statistic), k - 1))


def tested_to_trained(folds: Sequence[Mapping[str, Any]]) -> float:
    """Return labels for test over labels for training, the mean over splits.

    Args:
        folds: of each split, what its record counts in each fold.
    """
    ratios = [own["test"]["labels"] / max(own["train"]["labels"], 1) for own in folds]
    return float(np.mean(ratios))
