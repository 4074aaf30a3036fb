"""Two tables of gains of the same tasks: correlated over the sets of both, in any order."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import spearmanr

from relatask.grouping.gains import GainTable
from relatask.publishing.tables.gain_agreement import _agreement

SETS = np.array(
    [[t in chosen for t in range(3)] for size in range(1, 4) for chosen in combinations(range(3), size)]
)


def collection(name: str, gains: GainTable) -> SimpleNamespace:
    return SimpleNamespace(name=name, gains=gains)


@pytest.fixture
def gains() -> GainTable:
    rng = np.random.default_rng(0)
    return GainTable(list("abc"), SETS, *(np.where(SETS, rng.normal(size=SETS.shape), np.nan) for _ in "vt"))


def reordered(gains: GainTable, change=lambda values: values) -> GainTable:
    """The same sets in another order, of tasks in another order, without the second pair."""
    rows, columns = [6, 3, 5, 0], [2, 0, 1]
    pick = np.ix_(rows, columns)
    tasks = [gains.tasks[column] for column in columns]
    return GainTable(tasks, gains.sets[pick], change(gains.valid)[pick], change(gains.test)[pick])


def test_the_same_gains_agree_whatever_their_order(gains: GainTable) -> None:
    for row in _agreement(collection("one", gains), collection("two", reordered(gains))):
        assert (row["task_sets"], row["gains"]) == (3, 7)  # two pairs and the set of all
        assert row["correlation"] == pytest.approx(1)
        assert row["same_sign_percent"] == 100


def test_opposite_gains_do_not(gains: GainTable) -> None:
    (valid, _) = _agreement(collection("one", gains), collection("two", reordered(gains, np.negative)))
    assert valid["correlation"] == pytest.approx(-1)
    assert valid["same_sign_percent"] == 0


def test_correlations_are_spearmans_over_cells_and_within_tasks(gains: GainTable) -> None:
    rng = np.random.default_rng(1)
    other = GainTable(list("abc"), SETS, *(np.where(SETS, rng.normal(size=SETS.shape), np.nan) for _ in "vt"))
    found = _agreement(collection("one", gains), collection("two", other))
    for row, fold in zip(found, ("valid", "test"), strict=True):
        cells = [
            (t, getattr(gains, fold)[s, t], getattr(other, fold)[s, t])
            for s in range(len(SETS))
            for t in range(3)
            if SETS[s, t] and SETS[s].sum() > 1
        ]
        assert row["gains"] == len(cells) == 9
        ones, others = [cell[1] for cell in cells], [cell[2] for cell in cells]
        assert row["correlation"] == pytest.approx(spearmanr(ones, others).statistic)
        by_task = [
            spearmanr(*zip(*[cell[1:] for cell in cells if cell[0] == t], strict=True)).statistic
            for t in range(3)
        ]
        assert row["correlation_by_task"] == pytest.approx(np.mean(by_task))


def test_tables_without_a_set_in_common_say_nothing(gains: GainTable) -> None:
    alone = GainTable(list("abc"), SETS[:3], gains.valid[:3], gains.test[:3])
    for row in _agreement(collection("one", gains), collection("two", alone)):
        assert (row["task_sets"], row["gains"]) == (0, 0)
        assert row["correlation"] is row["correlation_by_task"] is row["same_sign_percent"] is None
