"""The runs that gains are collected from, and the gains made of their metrics."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.config import StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.grouping.collect import collect_gains, gain_table, gains_frame
from relatask.plan.plan import plan_runs
from relatask.plan.task_sets import task_set_id

TASKS = ["a", "b", "c"]
STUDY = {
    "title": "t",
    "sources": {"planted": {"reader": "planted"}},
    "datasets": {"d": {"source": "planted", "size": {"items": 100, "tasks": 3}}},
    "methods": [
        {"label": "MTL", "method": "shared_bottom", "encoder": "fingerprint_mlp"},
        {"label": "RF", "method": "random_forest"},
    ],
    "baseline": "MTL",
    "scales": {"quick": {"seeds": [0, 1]}},
}


def study(**gains: object) -> StudyConfig:
    given = {"dataset": "d", "method": "MTL", "tasks": TASKS, "task_sets": {"select": "all"}, **gains}
    grouping = {"gains": {"mine": given}, "strategies": [{"label": "HOA", "estimator": "hoa"}]}
    return parse(StudyConfig, {**STUDY, "grouping": grouping}, "here")


def test_every_task_set_is_a_run_that_differs_in_its_tasks_alone() -> None:
    runs = plan_runs(study(seeds=[0, 1]), "quick")
    collected = [run for run in runs if run.collection == "mine"]
    assert len(collected) == 2 * 7
    assert {run.spec.tasks for run in collected} == {
        ("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c"),
    }  # fmt: skip
    row = next(
        run.spec for run in runs if run.collection is None and run.spec.label == "MTL" and run.spec.seed == 1
    )
    for run in collected:
        if run.spec.seed == 1:
            assert run.spec.random_seed("initialisation") == row.random_seed("initialisation")
    assert len({run.spec.run_id for run in runs}) == len(runs)


def test_a_task_alone_is_learned_several_times_and_the_first_as_ever() -> None:
    once, often = (plan_runs(study(single_task_runs=count), "quick") for count in (1, 5))
    assert [run for run in often if run in once] == once
    more = [run.spec for run in often if run not in once]
    assert {spec.tasks for spec in more} == {("a",), ("b",), ("c",)}
    assert sorted(spec.member for spec in more) == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    assert len({spec.random_seed("initialisation") for spec in more}) > 1


def test_more_sets_add_runs_and_change_none() -> None:
    few = plan_runs(study(task_sets={"select": "random", "count": 6, "pairs": False}), "quick")
    many = plan_runs(study(task_sets={"select": "random", "count": 7, "pairs": False}), "quick")
    assert {run.spec.run_id for run in few} < {run.spec.run_id for run in many}


def test_the_order_of_tasks_in_the_study_names_no_other_runs() -> None:
    runs = [plan_runs(study(tasks=tasks), "quick") for tasks in (TASKS, TASKS[::-1])]
    assert {run.spec.run_id for run in runs[0]} == {run.spec.run_id for run in runs[1]}


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        ({"method": "RF"}, "is no single network that learns a task set by itself"),
        ({"seeds": [7]}, "7 is no seed of the scale"),
        ({"dataset": "e"}, "grouping.gains.mine.dataset: there is no data set 'e'"),
        ({"method": "MLT"}, "grouping.gains.mine.method: there is no method 'MLT'. Did you mean 'MTL'"),
        ({"tasks": ["a"]}, "needs at least 2 tasks"),
        ({"tasks": ["a", "a"]}, "'a' is given twice"),
        ({"task_sets": {"select": "random"}}, "count: give it with select: random"),
        ({"task_sets": {"select": "all", "count": 3}}, "count: give it with select: random, and only then"),
        ({"task_sets": {"select": "random", "count": 99}}, "to 7 task sets, not 99"),
        ({"published": "mimic"}, "published gains are not collected here"),
        ({"single_task_runs": 0}, "single_task_runs"),
    ],
)
def test_what_cannot_be_collected_is_refused(gains: dict, said: str) -> None:
    with pytest.raises(RelataskError) as error:
        plan_runs(study(**gains), "quick")
    assert said in str(error.value)


@pytest.fixture
def collected() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plan and metrics of all sets of a, b and c for two seeds: a known value for each cell."""
    plan, metrics = [], []
    for seed in (0, 1):
        for number, tasks in enumerate([["a"], ["b"], ["c"], ["a", "b"], ["a", "b", "c"]]):
            run_id = f"run{seed}{number}"
            plan.append({"run_id": run_id, "tasks": json.dumps(tasks), "seed": seed, "collection": "mine"})
            for place, fold in enumerate(("valid", "test")):
                for task in tasks:
                    value = 0.5 + 0.02 * number + 0.1 * place + 0.01 * seed + 0.05 * TASKS.index(task)
                    shared = {"run_id": run_id, "task_id": task, "fold": fold}
                    metrics.append({**shared, "metric": "roc_auc", "value": value})
                    metrics.append({**shared, "metric": "brier", "value": 9.0})
    return pd.DataFrame(plan), pd.DataFrame(metrics)


def test_a_gain_is_relative_to_the_task_alone_under_the_same_seed_and_fold(collected: tuple) -> None:
    gains = collect_gains(*collected, "roc_auc", lower_is_better=False)
    row = gains[
        (gains["task_set_id"] == task_set_id("ab")) & (gains["task_id"] == "b") & (gains["fold"] == "test")
    ]
    for _, cell in row.iterrows():
        alone, together = (
            0.5 + 0.02 + 0.1 + 0.01 * cell["seed"] + 0.05,
            0.5 + 0.06 + 0.1 + 0.01 * cell["seed"] + 0.05,
        )
        assert cell["gain"] == pytest.approx((together - alone) / alone)
    assert len(row) == 2
    single = gains["task_set_id"].isin([task_set_id(task) for task in TASKS])
    assert (gains.loc[single, "gain"] == 0).all()


def test_the_zero_of_gains_is_the_mean_of_the_runs_alone(collected: tuple) -> None:
    plan, metrics = collected
    first = plan.iloc[[1]].assign(run_id="again")  # b alone, once more, better by 0.1 on both folds
    own = metrics[metrics["run_id"] == first.index.map(plan["run_id"])[0]].assign(run_id="again")
    own["value"] += 0.1
    gains = collect_gains(pd.concat([plan, first]), pd.concat([metrics, own]), "roc_auc", False)
    assert not gains.duplicated(["task_set_id", "task_id", "seed", "fold"]).any()
    b = gains[(gains["task_id"] == "b") & (gains["seed"] == 0) & (gains["fold"] == "valid")]
    assert b["alone"].tolist() == pytest.approx([0.57 + 0.05] * 3)
    assert b["alone_std"].tolist() == pytest.approx([0.1 / np.sqrt(2)] * 3)
    assert b["alone_runs"].tolist() == [2] * 3
    found = b.set_index("task_set_id")["gain"]
    assert found[task_set_id("b")] == 0
    assert found[task_set_id("ab")] == pytest.approx((0.61 - 0.62) / 0.62)
    others = gains[(gains["task_id"] != "b") | (gains["seed"] == 1)]
    assert (others["alone_runs"] == 1).all()
    assert others["alone_std"].isna().all()


def test_a_lower_error_is_a_gain(collected: tuple) -> None:
    higher = collect_gains(*collected, "roc_auc", lower_is_better=False)
    lower = collect_gains(*collected, "roc_auc", lower_is_better=True)
    np.testing.assert_allclose(lower["gain"], -higher["gain"])


def test_the_table_averages_over_seeds_and_orders_sets_by_size(collected: tuple) -> None:
    gains = collect_gains(*collected, "roc_auc", lower_is_better=False)
    table = gain_table(gains, TASKS)
    assert table.sets.astype(int).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]]
    expected = np.mean([0.06 / (0.5 + 0.01 * seed) for seed in (0, 1)])
    assert table.valid[3, 0] == pytest.approx(expected)
    assert np.isnan(table.valid[3, 2])
    again = gain_table(gains_frame(table, "roc_auc"), TASKS)
    np.testing.assert_allclose(again.valid, table.valid)
    np.testing.assert_allclose(again.test, table.test)


def test_a_task_that_was_not_trained_alone_is_named(collected: tuple) -> None:
    plan, metrics = collected
    with pytest.raises(RelataskError, match="'c' has no run by itself under seed 1"):
        collect_gains(plan[plan["run_id"] != "run12"], metrics, "roc_auc", lower_is_better=False)


def test_tasks_without_a_defined_gain_are_named(collected: tuple) -> None:
    plan, metrics = collected
    metrics.loc[(metrics["task_id"] == "b") & (metrics["fold"] == "test"), "value"] = np.nan
    with pytest.raises(RelataskError, match="of: b; leave these tasks out"):
        gain_table(collect_gains(plan, metrics, "roc_auc", lower_is_better=False), TASKS)


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ({"estimator": "mtg_net", "rounds": [1], "relations": "features"}, "'mine' has no relation graph"),
        ({"estimator": "mtg_net"}, "rounds: give it with estimator: etap or hoa_recalibrated or mtg_net"),
        ({"estimator": "hoa", "rounds": [1]}, "or mtg_net or ridge or task_mean, and only then"),
        ({"estimator": "hoa", "selection": "random"}, "selection: only estimator: mtg_net reads it"),
        ({"estimator": "mtg_net", "rounds": ["half"]}, "rounds"),
        ({"estimator": "hoa", "gains": ["yours"]}, "there is no table of gains 'yours'"),
    ],
)
def test_a_strategy_that_cannot_work_is_refused(strategy: dict, said: str) -> None:
    given = {"dataset": "d", "method": "MTL", "tasks": TASKS, "task_sets": {"select": "all"}}
    grouping = {"gains": {"mine": given}, "strategies": [{"label": "S", **strategy}]}
    with pytest.raises(RelataskError) as error:
        parse(StudyConfig, {**STUDY, "grouping": grouping}, "here")
    assert said in str(error.value)


def test_every_study_of_the_project_that_groups_tasks_can_be_planned(root: Path) -> None:
    from relatask.config import load_study

    named = [path for path in (root / "config" / "studies").glob("*.yaml") if load_study(path).grouping]
    assert named
    for path in named:
        for scale in load_study(path).scales:
            plan_runs(load_study(path), scale)
