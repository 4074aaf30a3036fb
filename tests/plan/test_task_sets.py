"""Task sets are drawn the same way each time, and more of them keep those there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relatask.core.errors import RelataskError
from relatask.plan.task_sets import all_task_sets, sample_task_sets, task_set_id

TASKS = [f"t{number}" for number in range(6)]


def test_all_sets_come_by_size_and_order() -> None:
    assert all_task_sets(["a", "b", "c"]) == [
        ("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c"),
    ]  # fmt: skip
    assert len(set(all_task_sets(TASKS))) == 2**6 - 1


def test_too_many_tasks_for_all_sets_are_refused() -> None:
    with pytest.raises(RelataskError, match="select: random"):
        all_task_sets([str(number) for number in range(17)])


@given(st.integers(22, 63), st.integers(0, 41), st.integers(0, 99))
def test_more_sets_keep_those_there_are(count: int, fewer: int, seed: int) -> None:
    sets = sample_task_sets(TASKS, count, seed)
    assert len(sets) == len(set(sets)) == count
    assert sets[:6] == [(task,) for task in TASKS]
    assert sets[6] == tuple(TASKS)
    assert sum(len(chosen) == 2 for chosen in sets) == 15
    smaller = max(22, count - fewer)
    assert sample_task_sets(TASKS, smaller, seed) == sets[:smaller]


def test_without_pairs_small_sets_are_drawn_as_others() -> None:
    sets = sample_task_sets(TASKS, 63, 0, pairs=False)
    assert set(sets) == set(all_task_sets(TASKS))
    assert sample_task_sets(TASKS, 7, 0, pairs=False) == [*((task,) for task in TASKS), tuple(TASKS)]


def test_sizes_are_drawn_evenly() -> None:
    tasks = [str(number) for number in range(20)]
    sizes = [len(chosen) for chosen in sample_task_sets(tasks, 2000, 1)[211:]]
    counts = [sizes.count(size) for size in range(3, 20)]
    assert min(counts[1:-1]) > 60  # 105 expected; only 20 sets of 19 exist


@pytest.mark.parametrize("count", [21, 64])
def test_an_impossible_count_is_refused(count: int) -> None:
    with pytest.raises(RelataskError, match=f"from 22 .* to 63 task sets, not {count}"):
        sample_task_sets(TASKS, count, 0)


def test_a_set_is_named_by_its_content() -> None:
    assert task_set_id(("b", "a")) == task_set_id(["a", "b"]) != task_set_id(["a"])
    assert len(task_set_id(["a"])) == 12
