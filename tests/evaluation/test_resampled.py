"""The corrected test keeps its level over random splits of one pool, where a paired t-test does not."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from relatask.evaluation.resampled import corrected_t_test

ITEMS, SPLITS, FEATURES = 120, 10, 5
TRAIN, TEST = round(0.7 * ITEMS), round(0.2 * ITEMS)


def accuracies(x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Test accuracy [k] of the nearest class mean, for splits that are masks [k, n]."""
    means = [
        (train * (y == one)) @ x / (train * (y == one)).sum(1, keepdims=True) for one in (0, 1)
    ]  # each [k, d]
    distance = [((x[None] - mean[:, None]) ** 2).sum(2) for mean in means]
    right = (distance[1] < distance[0]) == y
    return (right * test).sum(1) / test.sum(1)


def differences(rng: np.random.Generator) -> np.ndarray:
    """Differences [k] of two methods that are equally good: they read other features of equal worth."""
    y = rng.integers(0, 2, ITEMS)
    x = rng.normal(size=(2, ITEMS, FEATURES)) + 0.5 * y[None, :, None]
    order = rng.random((SPLITS, ITEMS)).argsort(1).argsort(1)
    train, test = order < TRAIN, order >= ITEMS - TEST
    one, other = (accuracies(part, y, train, test) for part in x)
    return one - other


def false_positives(pools: int, seed: int = 0) -> tuple[float, float]:
    """Shares of pools in which the paired t-test and the corrected one find a difference."""
    rng = np.random.default_rng(seed)
    found = np.array(
        [
            [corrected_t_test(values, share)[1] < 0.05 for share in (0, TEST / TRAIN)]
            for values in (differences(rng) for _ in range(pools))
        ]
    )
    return tuple(found.mean(0))


def test_equal_methods_are_told_apart_as_rarely_as_the_level_says() -> None:
    naive, corrected = false_positives(1000)
    assert naive > 0.2
    assert corrected < 0.1


def test_without_its_correction_it_is_the_paired_t_test() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 10)
    expected = ttest_1samp(values, 0)
    statistic, p = corrected_t_test(values, 0)
    assert statistic == pytest.approx(expected.statistic)
    assert p == pytest.approx(expected.pvalue)


def test_the_error_is_that_of_nadeau_and_bengio() -> None:
    values = np.array([1.0, 2.0, 4.0])
    statistic, _ = corrected_t_test(values, 2 / 7)
    variance = sum((value - 7 / 3) ** 2 for value in values) / 2
    assert statistic == pytest.approx((7 / 3) / math.sqrt((1 / 3 + 2 / 7) * variance))


@pytest.mark.parametrize("values", [[], [0.1], [0.0, 0.0], [0.3, 0.1 + 0.2]])
def test_where_nothing_varies_there_is_no_p_value(values: list[float]) -> None:
    assert all(math.isnan(one) for one in corrected_t_test(np.array(values), 0.3))
