"""Mantel's test: the correlation and p value of its definition, and no more findings than it promises."""

import math

import numpy as np
import pytest
from scipy.stats import kstest

from relatask.evaluation import mantel as module
from relatask.evaluation.mantel import complete, mantel
from tests.oracles import mantel as oracle


def matrix(n: int, seed: int, digits: int = 9) -> np.ndarray:
    raw = np.random.default_rng(seed).random((n, n)).round(digits)
    return raw + raw.T


@pytest.mark.parametrize("digits", [9, 1])  # with 1, many pairs are equal
def test_it_is_spearmans_correlation_and_the_share_of_permutations_as_far_from_0(digits):
    one, other = matrix(6, 0, digits), matrix(6, 1, digits)
    expected, exact = oracle.mantel(one.tolist(), other.tolist())
    found, p = mantel(one, other, 20_000)
    assert found == pytest.approx(expected)
    assert p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000) + 1e-4)


def test_matrices_that_agree_have_the_least_p_value_whatever_the_sign_and_the_scale():
    one = matrix(12, 0)
    for other, sign in ((np.exp(5 * one), 1), (-one, -1)):
        found, p = mantel(one, other, 999)
        assert found == pytest.approx(sign)
        assert p == 1 / 1000


def test_p_values_of_matrices_that_have_nothing_in_common_are_uniform():
    p = [mantel(matrix(8, 2 * seed), matrix(8, 2 * seed + 1), 99)[1] for seed in range(300)]
    assert kstest(p, "uniform").pvalue > 0.05
    assert np.mean(np.array(p) <= 0.05) < 0.08


def test_tasks_that_are_strong_with_all_others_are_no_agreement():
    """A test that takes pairs for a sample finds it in most of these."""
    rng = np.random.default_rng(0)
    p = []
    for _ in range(200):
        ends = rng.normal(size=(2, 10))
        one, other = (own[:, None] + own + 0.1 * matrix(10, int(rng.integers(1e6))) for own in ends)
        p.append(mantel(one, other, 99)[1])
    assert np.mean(np.array(p) <= 0.05) < 0.1


def test_permutations_are_the_same_however_many_are_drawn_at_a_time(monkeypatch):
    one, other = matrix(9, 0), matrix(9, 1)
    whole = mantel(one, other, 500)
    monkeypatch.setattr(module, "CELLS", 36 * 7)
    assert mantel(one, other, 500) == whole


def test_equal_pairs_have_no_correlation():
    assert all(math.isnan(value) for value in mantel(np.ones((6, 6)), matrix(6, 0)))


def test_tasks_with_most_undefined_pairs_are_left_out_first():
    defined = np.ones((5, 5), bool)
    defined[1, [0, 2, 4]] = defined[[0, 2, 4], 1] = False
    assert complete(defined).tolist() == [0, 2, 3, 4]
    defined[0, 3] = defined[3, 0] = False
    assert complete(defined).tolist() == [0, 2, 4]
    assert complete(np.eye(3, dtype=bool)).tolist() == [0]
