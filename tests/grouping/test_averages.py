"""HOA and TAG against loops, and what they say of pairs and single tasks."""

import numpy as np
import pytest

from relatask.grouping.averages import average_over_partners, pairs_of_estimate
from tests.oracles.grouping import mean_over_partners


@pytest.fixture
def sets() -> np.ndarray:
    masks = np.random.default_rng(0).random((40, 6)) < 0.5
    masks[0] = False
    masks[0, 2] = True
    return masks[masks.any(1)]


def test_the_product_of_matrices_is_the_loop(sets: np.ndarray) -> None:
    pairs = np.random.default_rng(1).normal(size=(6, 6))
    np.testing.assert_allclose(
        average_over_partners(pairs, sets), mean_over_partners(pairs, sets), atol=1e-12
    )


def test_a_task_alone_has_zero_and_others_nothing(sets: np.ndarray) -> None:
    estimate = average_over_partners(np.ones((6, 6)), sets)
    assert estimate[0, 2] == 0
    assert np.isnan(estimate[~sets]).all()


def test_what_needs_an_unknown_pair_is_unknown_and_nothing_else(sets: np.ndarray) -> None:
    pairs = np.ones((6, 6))
    pairs[1, 4] = np.nan  # what 1 has with 4; 4 knows what it has with 1
    unknown = np.isnan(average_over_partners(pairs, sets)) & sets
    expected = np.zeros_like(sets)
    expected[:, 1] = sets[:, 1] & sets[:, 4]
    assert (unknown == expected).all()


def test_pairs_are_read_off_the_sets_of_two() -> None:
    sets = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    estimate = np.array([[0.1, 0.2, np.nan], [np.nan, 0.3, 0.4], [9, 9, 9]])
    nan = np.nan
    expected = [[nan, 0.1, nan], [0.2, nan, 0.3], [nan, 0.4, nan]]
    np.testing.assert_array_equal(pairs_of_estimate(estimate, sets), expected)
