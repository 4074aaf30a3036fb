"""Intervals over folds keep their level over random splits of one pool, where a paired t-test does not."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_1samp
from statsmodels.stats.anova import AnovaRM
from statsmodels.stats.libqsturng import qsturng

from relatask.evaluation.fold_test import Family, interval, quantile, verdict_of

ITEMS, SPLITS, FEATURES = 120, 10, 5
TWO = Family(2, 0.0, 0)  # a pair with its own variance
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
    """Shares of pools whose interval leaves out 0, with folds taken for independent and corrected."""
    rng = np.random.default_rng(seed)
    found = []
    for values in (differences(rng) for _ in range(pools)):
        ends = [interval(values, TWO, share) for share in (0, TEST / TRAIN)]
        found.append([low > 0 or high < 0 for low, high in ends])
    return tuple(np.mean(found, axis=0))


def test_equal_methods_are_told_apart_as_rarely_as_the_level_says() -> None:
    naive, corrected = false_positives(1000)
    assert naive > 0.2
    assert corrected < 0.1


def test_of_two_methods_on_independent_folds_it_is_the_paired_t_test() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 10)
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval(values, TWO, 0) == pytest.approx((expected.low, expected.high), rel=1e-6)


def test_of_several_it_is_tukeys_with_the_error_of_repeated_measures() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(6, 4)) + rng.normal(size=(6, 1))
    table = pd.DataFrame(values).stack().rename("y").reset_index()
    table.columns = ["fold", "method", "y"]
    anova = AnovaRM(table, "y", "fold", within=["method"]).fit().anova_table
    family = Family.of(values)
    between = 6 * ((values.mean(0) - values.mean()) ** 2).sum() / 3
    assert between / (family.variance / 2) == pytest.approx(float(anova["F Value"].iloc[0]))
    assert family.freedom == anova["Den DF"].iloc[0]
    assert quantile(4, family.freedom) == pytest.approx(qsturng(0.95, 4, family.freedom) / 2**0.5, rel=2e-3)
    quiet = np.full(6, 0.1) + 1e-6 * np.arange(6)  # varies less than its family
    low, high = interval(quiet, family, 0)
    assert (high - low) / 2 == pytest.approx(quantile(4, 15) * math.sqrt(family.variance / 6))


@pytest.mark.parametrize(
    ("swings", "folds", "most"), [(1, 3, 0.07), (1, 5, 0.07), (3, 5, 0.1), (3, 25, 0.07)]
)
def test_any_pair_of_equal_methods_is_rarely_told_apart_also_if_one_swings(
    swings: float, folds: int, most: float
) -> None:
    rng = np.random.default_rng(2)
    told = 0
    for _ in range(1000):
        values = rng.normal(size=(folds, 5)) * [1, 1, 1, 1, swings]
        family = Family.of(values)
        pairs = (interval(values[:, a] - values[:, b], family, 0) for a in range(5) for b in range(a))
        told += any(low > 0 or high < 0 for low, high in pairs)
    assert told / 1000 < most
    assert told or swings > 1


def test_the_error_is_that_of_nadeau_and_bengio() -> None:
    values = np.array([1.0, 2.0, 4.0])
    low, high = interval(values, TWO, 2 / 7)
    variance = sum((value - 7 / 3) ** 2 for value in values) / 2
    half = student.ppf(0.975, 2) * math.sqrt((1 / 3 + 2 / 7) * variance)
    assert (low, high) == pytest.approx((7 / 3 - half, 7 / 3 + half), rel=1e-6)


@pytest.mark.parametrize("values", [[], [0.1], [0.1, 0.3]])
def test_fewer_than_three_folds_have_no_interval(values: list[float]) -> None:
    assert all(math.isnan(one) for one in interval(np.array(values), TWO, 0.3))


def test_where_nothing_varies_the_interval_is_the_difference() -> None:
    assert interval(np.zeros(3), TWO, 0.3) == (0, 0)
    assert interval(np.array([0.3, 0.1 + 0.2, 0.3]), TWO, 0.3) == pytest.approx((0.3, 0.3))


@pytest.mark.parametrize(
    ("low", "high", "margin", "said"),
    [
        (0.001, 0.004, 0.005, "equal"),
        (-0.005, 0.005, 0.005, "equal"),
        (0.001, 0.006, 0.005, "better"),
        (-0.02, -0.001, 0.005, "worse"),
        (-0.002, 0.006, 0.005, "undecided"),
        (0.001, 0.002, None, "better"),
        (0.0, 0.0, None, "undecided"),
        (math.nan, math.nan, 0.005, "undecided"),
    ],
)
def test_verdicts_are_against_a_margin(low: float, high: float, margin: float | None, said: str) -> None:
    assert verdict_of(low, high, margin) == said
    opposite = {"better": "worse", "worse": "better"}.get(said, said)
    assert verdict_of(low, high, margin, higher_is_better=False) == opposite
