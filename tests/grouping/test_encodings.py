"""Task sets laid out in two dimensions: which sets, which tasks, and the same each time."""

from itertools import combinations

import numpy as np
import pytest

from relatask.grouping.active import Snapshot, select_sets
from relatask.grouping.encodings import encoding_points, most_varied_tasks
from relatask.grouping.gains import GainTable
from relatask.grouping.mtg_net import MTGNetSettings

N = 6
SETS = np.array(
    [[t in chosen for t in range(N)] for size in range(1, N + 1) for chosen in combinations(range(N), size)]
)


@pytest.fixture
def gains() -> GainTable:
    scale = np.array([0.1, 0.5, 0.2, 0.0001, 0.4, 0.3])
    table = np.where(SETS, np.random.default_rng(0).normal(0, 1, SETS.shape) * scale, np.nan)
    return GainTable([f"t{n}" for n in range(N)], SETS, table, table)


@pytest.fixture
def snapshots(gains: GainTable) -> list[Snapshot]:
    settings = MTGNetSettings(width=8, layers=1, epochs=5)
    return list(select_sets(SETS, lambda row: gains.valid[row], [1, 2, 3], 0, settings))


def test_each_snapshot_keeps_the_network_of_its_round(snapshots: list[Snapshot]) -> None:
    encoded = [snapshot.model.encode(SETS) for snapshot in snapshots]
    assert not np.array_equal(encoded[0], encoded[2])


def test_points_are_the_sets_of_a_task(gains: GainTable, snapshots: list[Snapshot]) -> None:
    assert most_varied_tasks(gains) == [0, 1, 2, 4, 5]  # all but the one whose gains are alike
    table = encoding_points(gains, snapshots, 0)
    assert list(dict.fromkeys(table["stage"])) == ["trained, K=1", "trained, K=3", "all, K=3"]
    counts = table.groupby(["task_id", "stage"]).size()
    assert (counts.xs("all, K=3", level=1) == 2 ** (N - 1) - 1).all()
    for task in (0, 4):
        trained = SETS[snapshots[0].chosen, task].sum()
        assert counts[f"t{task}", "trained, K=1"] == trained
        own = table[(table["task_id"] == f"t{task}") & (table["stage"] == "trained, K=1")]
        expected = gains.valid[sorted(row for row in snapshots[0].chosen if SETS[row, task]), task]
        np.testing.assert_array_equal(own["gain"], expected)
    again = encoding_points(gains, snapshots, 0)
    np.testing.assert_array_equal(table[["x", "y"]], again[["x", "y"]])


def test_one_number_of_rounds_is_two_stages(gains: GainTable, snapshots: list[Snapshot]) -> None:
    table = encoding_points(gains, snapshots[:1], 0)
    assert set(table["stage"]) == {"trained, K=1", "all, K=1"}
