"""Choices of groups against trying all of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.core.errors import RelataskError
from relatask.grouping.group_search import Limits, choose_groups
from tests.oracles.grouping import best_by_trying_all


@st.composite
def estimates(draw: st.DrawFn) -> np.ndarray:
    """Estimates of a few task sets, with ties; not every task need be in a set."""
    shape = draw(st.integers(1, 9)), draw(st.integers(1, 5))
    values = st.sampled_from([-2.0, -0.5, 0.0, 0.25, 0.25, 1.0, 3.0])
    cells = draw(
        st.lists(st.one_of(st.none(), values), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
    )
    return np.array([np.nan if cell is None else cell for cell in cells]).reshape(shape)


@settings(max_examples=300)
@given(estimates(), st.integers(1, 4), st.data())
def test_branch_and_bound_finds_what_trying_all_finds(
    estimate: np.ndarray, budget: int, data: st.DataObject
) -> None:
    costs = np.array(
        data.draw(st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=len(estimate), max_size=len(estimate)))
    )
    max_cost = data.draw(st.sampled_from([1.0, 2.5, 99.0]))
    expected = best_by_trying_all(estimate, budget, costs, max_cost)
    limits = Limits(budget, costs=costs, max_cost=max_cost)
    if expected is None:
        with pytest.raises(RelataskError, match="holds every task"):
            choose_groups(estimate, limits, exact=True)
        return
    found = choose_groups(estimate, limits, exact=True)
    assert found.value == pytest.approx(expected)
    assert len(found.rows) <= budget
    assert costs[found.rows].sum() <= max_cost
    served = found.served(estimate)
    assert served.mean() == pytest.approx(expected)
    assert not np.isnan(served).any()


@settings(max_examples=200)
@given(estimates(), st.integers(1, 4))
def test_beam_search_keeps_the_rules_and_never_beats_the_optimum(estimate: np.ndarray, budget: int) -> None:
    try:
        found = choose_groups(estimate, Limits(budget), exact=False)
    except RelataskError:
        return
    assert len(set(found.rows)) == len(found.rows) <= budget
    assert found.value <= choose_groups(estimate, Limits(budget), exact=True).value + 1e-9
    assert found.served(estimate).mean() == pytest.approx(found.value)


def test_each_task_is_served_by_its_best_group() -> None:
    estimate = np.array([[0.1, 0.3, np.nan], [0.2, np.nan, 0.0], [np.nan, -1.0, 0.5], [0.0, 0.0, 0.0]])
    found = choose_groups(estimate, Limits(3), exact=True)
    assert found.rows == [0, 1, 2]
    assert found.serves.tolist() == [1, 0, 2]
    assert found.served(estimate).tolist() == [0.2, 0.3, 0.5]


def test_a_group_that_adds_nothing_is_not_chosen() -> None:
    estimate = np.array([[1.0, 1.0], [1.0, np.nan], [0.5, 1.0]])
    for exact in (True, False):
        assert choose_groups(estimate, Limits(3), exact).rows == [0]


def test_groups_of_at_most_two_tasks() -> None:
    estimate = np.array([[9.0, 9.0, 9.0], [1.0, 1.0, np.nan], [np.nan, 0.0, 2.0], [0.0, np.nan, np.nan]])
    for exact in (True, False):
        assert choose_groups(estimate, Limits(2, max_size=2), exact).rows == [1, 2]
    with pytest.raises(RelataskError, match="of 1 groups within the limits holds every task"):
        choose_groups(estimate, Limits(1, max_size=2))
