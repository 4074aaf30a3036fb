"""Estimates and choices of groups as tables: read as written, limits kept, nothing lost."""

from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from relatask.config import StrategyConfig
from relatask.core.errors import RelataskError
from relatask.core.estimators import estimators
from relatask.core.tables import read_table, write_table
from relatask.grouping.active import SelectionSettings
from relatask.grouping.estimate import estimate_gains
from relatask.grouping.estimators.random import choose
from relatask.grouping.gains import GainTable
from relatask.grouping.group_search import Limits
from relatask.grouping.mtg_net import MTGNetSettings
from relatask.grouping.tables import (
    affinities_frame,
    choose_all,
    estimates_frame,
    read_estimates,
    read_pairs,
)
from tests.helpers.data_tables import write_records

TASKS = ["a", "b", "c", "d"]
SETS = np.array(
    [[t in chosen for t in range(4)] for size in range(1, 5) for chosen in combinations(range(4), size)]
)


@pytest.fixture
def gains() -> GainTable:
    rng = np.random.default_rng(0)
    tables = [np.where(SETS, rng.normal(0, 0.1, SETS.shape), np.nan) for _ in range(2)]
    for table in tables:
        table[:4] = np.where(SETS[:4], 0.0, np.nan)
    return GainTable(TASKS, SETS, *tables)


def strategy(**values: object) -> StrategyConfig:
    return StrategyConfig.model_validate({"label": "S", **values})


def test_estimates_are_read_as_they_were_made(gains: GainTable, tmp_path: Path) -> None:
    chosen = strategy(estimator="mtg_net", rounds=[1, "pairs"], options={"epochs": 3, "width": 8})
    made = list(estimate_gains(chosen, gains, [0, 3]))
    write_table("estimates", estimates_frame("S", gains, made), tmp_path / "e.parquet")
    found = read_estimates(read_table("estimates", tmp_path / "e.parquet"), gains)
    assert list(found) == [("S", 1)]  # with 4 tasks the pairs cost as much as one round
    assert list(found["S", 1]) == [0, 3]
    for estimate in made:
        again = found["S", 1][estimate.seed]
        np.testing.assert_array_equal(again.table, estimate.table)
        np.testing.assert_array_equal(again.trained, estimate.trained)
        assert again.trained.sum() == 5


def test_estimates_of_other_sets_are_refused(gains: GainTable) -> None:
    frame = estimates_frame("S", gains, estimate_gains(strategy(estimator="oracle"), gains, [0]))
    fewer = GainTable(TASKS, gains.sets[:-1], gains.valid[:-1], gains.test[:-1])
    with pytest.raises(RelataskError, match="of other task sets"):
        read_estimates(frame, fewer)


def test_rounds_never_cost_more_than_the_pairs() -> None:
    chosen = strategy(estimator="mtg_net", rounds=[9, 1, "pairs", 5])
    assert chosen.rounds_for(27) == [1, 5, 9, 13]
    assert chosen.rounds_for(7) == [1, 3]
    assert chosen.rounds_for(2) == [1]


def test_budgets_that_cannot_hold_every_task_are_left_out(gains: GainTable) -> None:
    frame = estimates_frame("S", gains, estimate_gains(strategy(estimator="oracle"), gains, [0]))
    estimates = read_estimates(frame, gains)
    groups, groupings = choose_all(gains, estimates, [1, 2, 3], Limits(1, max_size=2), exact=True)
    assert groupings["budget"].tolist() == [2, 3]
    assert (groups.groupby(["budget", "group"]).size() <= 2).all()
    drawn = choose(gains, "R", [1, 2, 3], max_size=2)
    assert drawn["budget"].tolist() == [2, 3]
    with pytest.raises(RelataskError, match="no budget holds every task"):
        choose_all(gains, estimates, [1], Limits(1, max_size=2), exact=True)


def test_groups_cost_together_no_more_than_the_limit(gains: GainTable) -> None:
    frame = estimates_frame("S", gains, estimate_gains(strategy(estimator="oracle"), gains, [0]))
    estimates, costs = read_estimates(frame, gains), gains.sets @ np.array([5.0] + [1.0] * (len(TASKS) - 1))
    for most in (len(TASKS) + 4, len(TASKS) + 5, 100):
        limits = Limits(1, costs=costs, max_cost=most)
        groups, _ = choose_all(gains, estimates, [1, 2, 3], limits, exact=True)
        for _, chosen in groups.groupby("budget"):
            assert sum(5.0 if task == TASKS[0] else 1.0 for task in chosen["task_id"]) <= most
    with pytest.raises(RelataskError, match="no budget holds every task"):
        choose_all(gains, estimates, [3], Limits(1, costs=costs, max_cost=len(TASKS) + 3), exact=True)


def test_worth_is_the_mean_over_tasks_where_they_are_served(gains: GainTable) -> None:
    frame = estimates_frame("S", gains, estimate_gains(strategy(estimator="oracle"), gains, [0]))
    groups, groupings = choose_all(gains, read_estimates(frame, gains), [2], Limits(1), exact=True)
    served = groups[groups["serves"]]
    assert sorted(served["task_id"]) == TASKS
    assert groupings["test_gain"].tolist() == [pytest.approx(served["test_gain"].mean())]
    assert groupings["valid_gain"].tolist() == groupings["estimate"].tolist()  # the oracle is right


def test_hoa_without_all_pairs_is_refused(gains: GainTable) -> None:
    keep = np.arange(len(SETS)) != 5
    fewer = GainTable(TASKS, gains.sets[keep], gains.valid[keep], gains.test[keep])
    with pytest.raises(RelataskError, match="HOA needs all pairs"):
        list(estimate_gains(strategy(estimator="hoa"), fewer, [0]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epoch": 3}, "estimator 'mtg_net' has no option 'epoch'. Did you mean 'epochs'"),
        ({"widht": 3}, "estimator 'mtg_net' has no option 'widht'. Did you mean 'width'"),
        (
            {"loss": "square"},
            "option 'loss' of estimator 'mtg_net' cannot be 'square'. Did you mean 'squared'",
        ),
        ({"epochs": -1}, "option 'epochs' of estimator 'mtg_net' must be from 0 to 1000000, not -1"),
        ({"width": "x"}, "option 'width' of estimator 'mtg_net' must be int, not 'x'"),
    ],
)
def test_a_wrong_option_is_refused_when_planning(options: dict, said: str) -> None:
    with pytest.raises(ValidationError) as error:
        strategy(estimator="mtg_net", rounds=[1], options=options)
    assert said in str(error.value)


def test_the_options_of_mtg_net_are_the_settings_of_its_parts() -> None:
    settings = asdict(MTGNetSettings()) | asdict(SelectionSettings())
    assert estimators()["mtg_net"].options == settings


def test_affinities_keep_their_direction_and_relations_have_none(tmp_path: Path) -> None:
    affinities = np.full((4, 4), np.nan)
    affinities[0, 2], affinities[3, 1] = 0.5, -2.0
    write_table("affinities", affinities_frame(affinities, TASKS), tmp_path / "a.parquet")
    np.testing.assert_array_equal(read_pairs("affinities", tmp_path / "a.parquet", TASKS), affinities)
    frame = pd.DataFrame({"task_i": ["a", "b"], "task_j": ["c", "z"], "score": [0.5, 0.9], "kind": "string"})
    write_table("relations", frame, tmp_path / "relations.parquet")
    write_records(tmp_path)
    relations = read_pairs("relations", tmp_path / "relations.parquet", TASKS)
    assert relations[0, 2] == relations[2, 0] == 0.5
    assert relations.sum() == 1.0
    write_table("relations", frame.iloc[:1], tmp_path / "relations.parquet")
    with pytest.raises(RelataskError, match=r"relations\.parquet is not the file that .*dataset\.json"):
        read_pairs("relations", tmp_path / "relations.parquet", TASKS)
