"""Task sets that are trained when a strategy asks for them, against a replay of all gains."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.config import StrategyConfig, StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json
from relatask.core.tables import read_table, write_table
from relatask.evaluation.metrics_table import evaluate, evaluate_batches
from relatask.grouping import online as onlines
from relatask.grouping.collect import collect_gains, gain_table
from relatask.grouping.contract import Estimate
from relatask.grouping.estimate import estimate_gains, request_of
from relatask.grouping.estimators import mtg_net
from relatask.grouping.gains import GainTable, members
from relatask.grouping.online import OnlineGains
from relatask.plan.plan import plan_runs
from relatask.plan.spec import RunSpec
from relatask.plan.task_sets import all_task_sets
from relatask.shards.shard import Shard, ShardData
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

TASKS = ["task0", "task1", "task2", "task3"]
STRATEGY = StrategyConfig(label="MTG", estimator="mtg_net", rounds=[1], options={"epochs": 10})
SETS = members(all_task_sets(TASKS), TASKS)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder of results with a data set of four tasks under two splits."""
    write_dataset(tmp_path / "small", random_labels(120, 4), seeds=(0, 1))
    return tmp_path


def plan_frame(specs: list[RunSpec]) -> pd.DataFrame:
    rows = [
        {
            **{
                "run_id": spec.run_id,
                "label": "four",
                "seed": spec.seed,
                "restart": spec.restart,
                "tasks": canonical_json(spec.tasks),
            },
            **{
                "collection": "four",
                "dataset": "small",
                "method": spec.method.name,
                "encoder": spec.encoder.name,
            },
            **{"balancing": "equal", "split": spec.split, "hyperparameters": "{}", "shard": 0},
            **{"predicted_minutes": 1.0, "cost_factor": 1.0, "spec": spec.canonical()},
        }
        for spec in specs
    ]
    return pd.DataFrame(rows)


def shard(results: Path, study: str) -> Shard:
    return Shard("four", results / study, ShardData(results / "small", torch.device("cpu")), "joint")


def specs(sets: list[tuple[str, ...]], seeds: tuple[int, ...]) -> list[RunSpec]:
    return [make_spec(tasks=tasks, seed=seed) for seed in seeds for tasks in sets]


def replayed(results: Path, seeds: tuple[int, ...]) -> tuple[list[Estimate], GainTable]:
    """All sets are trained, then the strategy asks for their gains."""
    every = specs(all_task_sets(TASKS), seeds)
    trainer = shard(results, "replay")
    trainer.train(every)
    paths = [trainer.journal.predictions_path(spec) for spec in every]
    metrics = pd.concat([evaluate(read_table("predictions", path), ["roc_auc"]) for path in paths])
    gains = collect_gains(plan_frame(every), metrics.astype({"run_id": str}), "roc_auc", False)
    table = gain_table(gains, TASKS)
    return list(estimate_gains(STRATEGY, table, [0])), table


def asked(results: Path, seeds: tuple[int, ...]) -> tuple[list[Estimate], OnlineGains]:
    """Each set is trained when the strategy asks for it."""
    planned = [tasks for tasks in all_task_sets(TASKS) if len(tasks) in {1, len(TASKS)}]
    runs = plan_frame(specs(planned, seeds))
    online = OnlineGains(shard(results, "online"), runs, TASKS, "roc_auc", False)
    unknown = GainTable.unknown(TASKS, SETS)
    request = request_of(STRATEGY, unknown, 0, answer=lambda row: online.answer(SETS[row]))
    return list(mtg_net.estimate(request)), online


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_what_is_asked_online_is_what_a_replay_of_all_gains_asks(
    results: Path, seeds: tuple[int, ...]
) -> None:
    (expected,), table = replayed(results, seeds)
    (found,), online = asked(results, seeds)
    np.testing.assert_array_equal(table.sets, SETS)
    np.testing.assert_array_equal(found.trained, expected.trained)
    np.testing.assert_allclose(found.table, expected.table, rtol=1e-6, atol=1e-9)
    assert found.trained.sum() == 1 + len(TASKS)
    runs = online.plan()
    assert len(runs) == len(seeds) * (len(TASKS) + 1 + len(TASKS))
    assert runs["run_id"].is_unique
    assert runs["shard"].isna().sum() == len(seeds) * len(TASKS)
    journalled = {path.name for path in (results / "online" / "runs").iterdir()}
    assert journalled == set(runs["run_id"])


def test_a_selection_that_was_killed_goes_on_to_the_same_numbers(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (expected,), _ = asked(results, (0,))
    whole = sorted(path.name for path in (results / "online" / "runs").iterdir())
    (results / "online").rename(results / "first")
    answer, count = OnlineGains.answer, 0

    def killed(self: OnlineGains, member: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        return answer(self, member)

    monkeypatch.setattr(onlines.OnlineGains, "answer", killed)
    with pytest.raises(KeyboardInterrupt):
        asked(results, (0,))
    monkeypatch.undo()
    half = sorted((results / "online" / "runs").iterdir())
    times = {path.name: path.stat().st_mtime_ns for path in half}
    assert 0 < len(half) < len(whole)
    (found,), _ = asked(results, (0,))
    np.testing.assert_array_equal(found.table, expected.table)
    np.testing.assert_array_equal(found.trained, expected.trained)
    after = {path.name: path.stat().st_mtime_ns for path in (results / "online" / "runs").iterdir()}
    assert sorted(after) == whole
    assert {name: after[name] for name in times} == times  # nothing was trained twice


def test_the_test_fold_is_never_read(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (expected,), _ = asked(results, (0,))
    (results / "online").rename(results / "first")

    def spoiled(batches: Iterator[pd.DataFrame], metrics: list[str], runs: list[str]):
        table, empty = evaluate_batches(batches, metrics, runs)
        test = table["fold"] == "test"
        table.loc[test, "value"] = np.random.default_rng(len(table)).random(test.sum())
        return table, empty

    monkeypatch.setattr(onlines, "evaluate_batches", spoiled)
    (found,), _ = asked(results, (0,))
    np.testing.assert_array_equal(found.table, expected.table)


def test_an_undefined_gain_is_named(tmp_path: Path) -> None:
    labels = random_labels(120, 4)
    labels[:, 2] = np.where(np.isnan(labels[:, 2]), np.nan, 1)
    write_dataset(tmp_path / "small", labels)
    with pytest.raises(RelataskError, match="one class only, of: task2"):
        asked(tmp_path, (0,))


STUDY = {
    "title": "t",
    "sources": {"planted": {"reader": "planted"}},
    "datasets": {"d": {"source": "planted", "size": {"items": 100, "tasks": 4}}},
    "methods": [{"label": "MTL", "method": "shared_bottom", "encoder": "fingerprint_mlp"}],
    "baseline": "MTL",
    "scales": {"quick": {"seeds": [0]}},
}


def study(task_sets: dict[str, object], **strategy: object) -> StudyConfig:
    gains = {"dataset": "d", "method": "MTL", "tasks": TASKS, "task_sets": task_sets}
    strategies = [
        {"label": "HOA", "estimator": "hoa"},
        {"label": "MTG", "estimator": "mtg_net", "rounds": [1, 3], **strategy},
    ]
    return parse(
        StudyConfig, {**STUDY, "grouping": {"gains": {"four": gains}, "strategies": strategies}}, "here"
    )


def test_only_single_tasks_and_all_tasks_are_planned_and_only_the_asking_strategy_estimates() -> None:
    config = study({"select": "active", "strategy": "MTG"})
    runs = [run.spec.tasks for run in plan_runs(config, "quick") if run.collection == "four"]
    assert sorted(runs, key=len) == [*((task,) for task in TASKS), tuple(TASKS)]
    assert config.grouping is not None
    assert [strategy.label for strategy in config.grouping.strategies_of("four")] == ["MTG"]
    assert config.grouping.replayed == []


@pytest.mark.parametrize(
    ("task_sets", "strategy", "told"),
    [
        ({"select": "active"}, {}, "strategy: give it with select: active"),
        ({"select": "all", "strategy": "MTG"}, {}, "strategy: give it with select: active"),
        ({"select": "active", "strategy": "MGT"}, {}, "MGT"),
        ({"select": "active", "strategy": "HOA"}, {}, "'HOA' asks for no sets; name an mtg_net"),
    ],
)
def test_a_wrong_asking_strategy_is_refused(
    task_sets: dict[str, object], strategy: dict[str, object], told: str
) -> None:
    with pytest.raises(RelataskError, match=told):
        study(task_sets, **strategy)


def test_a_wrong_count_of_candidates_is_refused_before_anything_runs() -> None:
    with pytest.raises(RelataskError, match="count: 4 tasks give from"):
        plan_runs(study({"select": "active", "strategy": "MTG", "count": 99}), "quick")


def test_a_damaged_run_that_was_asked_for_lets_the_selection_run_again(results: Path) -> None:
    from relatask.journal.merge import merge_runs

    _, online = asked(results, (0,))
    plan, folder = online.plan(), results / "online"
    write_table("plan", plan, folder / "selected" / "four" / "MTG.parquet")
    lost = plan.loc[plan["shard"].isna(), "run_id"].iloc[0]
    (folder / "runs" / lost / "predictions.parquet").write_bytes(b"")
    out = {name: folder / f"{name}.parquet" for name in ("predictions", "history", "costs")}
    stored = read_table("plan", folder / "selected" / "four" / "MTG.parquet")
    assert json.loads(stored["spec"].iloc[0])
    with pytest.raises(RelataskError, match=lost):
        merge_runs(stored, folder / "runs", out)
    assert not (folder / "selected" / "four" / "MTG.parquet").exists()
