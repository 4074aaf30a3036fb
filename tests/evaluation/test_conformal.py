"""Conformal intervals and sets hold the truth as often as they say, for any n, and no test of n is needed."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.evaluation.conformal import MOST, class_set, kept_scores, least_labels, quantile


@pytest.mark.parametrize(("n", "level"), [(10, 0.9), (12, 0.8), (MOST + 700, 0.9)])
def test_a_further_score_is_held_as_often_as_said_and_hardly_oftener(n: int, level: float) -> None:
    """Without the +1 of n, 10 scores would hold 9 of 11 at 0.9; above it is 1 / (n + 1) at most."""
    rng, times = np.random.default_rng(0), 8_000 if n < MOST else 2_000
    scores = np.abs(rng.normal(size=(times, n + 1)))
    held = [row[-1] <= quantile(kept_scores(row[:-1]), n, level) for row in scores]
    error = 3 * math.sqrt(level * (1 - level) / times)
    assert level - error <= np.mean(held) <= level + 1 / (min(n, MOST) + 1) + error


def test_too_few_scores_give_an_infinite_interval() -> None:
    assert [least_labels(level) for level in (0.8, 0.9, 0.95)] == [4, 9, 19]
    assert quantile(np.arange(8.0), 8, 0.9) == math.inf
    assert quantile(np.arange(9.0), 9, 0.9) == 8


def full_conformal(labels: list[int], level: float, classes: int) -> set[int]:
    """The definition, with a loop: y stays unless too few of all labels with it are as rare as it is."""
    found = set()
    for y in range(classes):
        together = [*labels, y]
        counts = Counter(together)
        p = sum(counts[one] <= counts[y] for one in together) / len(together)
        if p > 1 - level + 1e-9:
            found.add(y)
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=30), st.sampled_from([0.6, 0.8, 0.9]))
def test_a_set_of_classes_is_that_of_the_definition(labels: list[int], level: float) -> None:
    inside, unseen = class_set(list(Counter(labels).items()), level)
    rest = {y for y in range(6) if y not in labels} if unseen else set()
    assert {*inside, *rest} == full_conformal(labels, level, 6)


def test_sets_hold_the_class_as_often_as_said() -> None:
    rng, level = np.random.default_rng(1), 0.8
    held = []
    for _ in range(4_000):
        labels = rng.choice(4, 13, p=[0.5, 0.3, 0.15, 0.05]).tolist()
        inside, unseen = class_set(list(Counter(labels[:-1]).items()), level)
        held.append(labels[-1] in inside or (unseen and labels[-1] not in labels[:-1]))
    assert np.mean(held) >= level - 0.02
