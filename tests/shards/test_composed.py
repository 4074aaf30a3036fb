"""Rows made of several runs: which runs, what they predict together, what cannot be."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.config import StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.core.tables import read_table, write_table
from relatask.models.loading import load_model
from relatask.plan.plan import make_shards, plan_runs
from relatask.plan.spec import RunSpec
from relatask.shards import shard as shards
from relatask.shards.combined import Part, combine, parts_of
from relatask.shards.shard import Shard, ShardData
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

CHOICE = {"gains": "mine", "strategy": "HOA", "rounds": None, "budget": 2, "seed": 0}
TASKS = ["task0", "task1", "task2"]


def write_groups(study: Path, groups: dict[int, dict[str, bool]], **other: object) -> None:
    """Write table groups: group -> task -> whether the group serves it."""
    zeros = dict.fromkeys(("estimate", "valid_gain", "test_gain"), 0.0)
    rows = [
        {**CHOICE, "group": group, "task_set_id": "x", "task_id": task, "serves": serves, **zeros, **other}
        for group, members in groups.items()
        for task, serves in members.items()
    ]
    frame = pd.DataFrame(rows).drop(columns="gains").astype({"rounds": "Int32"})
    write_table("groups", frame, study / "groups" / "mine.parquet")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder of results with a data set of three tasks, and a choice of groups."""
    write_dataset(tmp_path / "small", random_labels(80, 3))
    groups = {0: {"task0": True, "task1": False}, 1: {"task1": True, "task2": True}}
    write_groups(tmp_path / "study", groups)
    return tmp_path


def train(results: Path, specs: list[RunSpec]) -> dict[str, str]:
    data = ShardData(results / "small", torch.device("cpu"))
    return Shard("00000", results / "study", data, "all").train(specs)


def measured(results: Path, spec: RunSpec) -> dict:
    return read_json(results / "study" / "runs" / spec.run_id / "run.json")["measured"]


def predictions(results: Path, spec: RunSpec) -> pd.Series:
    path = results / "study" / "runs" / spec.run_id / "predictions.parquet"
    frame = read_table("predictions", path).astype({"fold": str, "task_id": str})
    assert (frame["run_id"] == spec.run_id).all()
    return frame.set_index(["fold", "item_id", "task_id"])["score"]


def test_each_task_is_predicted_by_its_own_group(results):
    spec = make_spec(groups=CHOICE)
    train(results, [spec])
    first, second = (
        replace(spec, groups=None, tasks=tasks) for tasks in (("task0", "task1"), ("task1", "task2"))
    )
    found = predictions(results, spec)
    for task, run in (("task0", first), ("task1", second), ("task2", second)):
        expected = predictions(results, run).xs(task, level="task_id")
        pd.testing.assert_series_equal(found.xs(task, level="task_id"), expected)
    assert found.index.is_unique
    order = found.index.to_frame(index=False)
    assert order.equals(order.sort_values(["fold", "item_id", "task_id"], ignore_index=True))
    costs = [measured(results, run)["seconds"] for run in (spec, first, second)]
    assert costs[0] == pytest.approx(costs[1] + costs[2])


def test_a_row_names_the_versions_that_trained_its_parts(results):
    spec = make_spec(ensemble=2)
    members = [part.spec for part in parts_of(spec, results / "study")]
    train(results, members)
    entry = results / "study" / "runs" / members[1].run_id / "run.json"
    record = read_json(entry)
    record["measured"]["libraries"] = {"torch": "2.0.0"}
    write_json(entry, record)
    train(results, [spec])
    torch_of = measured(results, members[0])["libraries"]["torch"]
    found = measured(results, spec)["libraries"]
    assert found["torch"] == f"2.0.0, {torch_of}"
    assert found["numpy"].endswith(", unknown")


def test_parts_in_the_journal_are_not_trained_again(results, monkeypatch):
    spec = make_spec(groups=CHOICE)
    parts = [part.spec for part in parts_of(spec, results / "study")]
    train(results, parts)
    monkeypatch.setattr(shards, "train_run", None)
    assert train(results, [spec])[spec.run_id]


def test_other_groups_make_the_row_anew_and_the_same_ones_do_not(results, monkeypatch):
    spec = make_spec(groups=CHOICE)
    before = train(results, [spec])
    with monkeypatch.context() as patched:
        patched.setattr(shards, "combine", None)
        assert train(results, [spec]) == before
    write_groups(results / "study", {0: {"task0": True, "task1": True, "task2": True}})
    assert train(results, [spec]) != before
    everything = predictions(results, replace(spec, groups=None, tasks=tuple(TASKS)))
    pd.testing.assert_series_equal(predictions(results, spec), everything)


def test_a_task_in_no_group_and_groups_that_were_not_chosen_are_refused(results):
    write_groups(results / "study", {0: {"task0": True, "task1": True}})
    with pytest.raises(RelataskError, match="1 of 3 tasks of 'small' are in no group"):
        train(results, [make_spec(groups=CHOICE)])
    with pytest.raises(RelataskError, match=re.escape('no groups of {"budget":3')):
        train(results, [make_spec(groups={**CHOICE, "budget": 3})])


def test_an_ensemble_is_the_mean_of_members_of_which_the_first_is_the_plain_run(results):
    spec = make_spec(ensemble=2)
    train(results, [spec])
    members = [make_spec(), make_spec(member=1)]
    one, other = (predictions(results, member) for member in members)
    assert not one.equals(other)
    pd.testing.assert_series_equal(predictions(results, spec), (one + other) / 2, rtol=1e-6)


def test_two_networks_are_the_mean_of_their_logits_in_the_tables_and_in_the_model(results):
    prior = make_spec(member=1)
    spec = make_spec(prior=prior.run_id, averaged=True)
    train(results, [prior])
    train(results, [spec])
    one, other = (predictions(results, run).to_numpy(float) for run in (make_spec(), prior))
    logit = (np.log(one / (1 - one)) + np.log(other / (1 - other))) / 2
    expected = 1 / (1 + np.exp(-logit))
    found = predictions(results, spec)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert not np.allclose(expected, (one + other) / 2, rtol=1e-6)
    model = load_model(results / "study" / "runs" / spec.run_id)
    data = ShardData(results / "small", torch.device("cpu"))
    scores = model.scores(lambda inputs: data.get("scaffold-0", inputs), torch.arange(80))
    cells = found.reset_index()
    column = cells["task_id"].str.removeprefix("task").astype(int)
    np.testing.assert_allclose(scores[cells["item_id"], column], cells["score"], rtol=1e-6)


def test_a_members_draws_are_its_own_and_a_groups_are_those_of_all_tasks():
    spec = make_spec()
    assert spec.random_seed("epoch", 1) == make_spec(groups=CHOICE).random_seed("epoch", 1)
    assert spec.random_seed("epoch", 1) == make_spec(ensemble=4).random_seed("epoch", 1)
    assert len({make_spec(member=member).random_seed("epoch", 1) for member in range(3)}) == 3


def test_cells_of_parts_that_serve_nothing_are_left_out():
    frame = pd.DataFrame(
        {"fold": "test", "item_id": [1, 1], "task_id": ["task0", "task1"], "label": 1.0, "score": [0.2, 0.4]}
    )
    parts = [Part(make_spec(), ("task1",)), Part(make_spec(), ("task0",))]
    found = combine(make_spec(), parts, [frame, frame.assign(score=[0.6, 0.8])], TASKS).predictions
    assert found["task_id"].tolist() == ["task0", "task1"]
    assert found["score"].tolist() == pytest.approx([0.6, 0.4])


STUDY = {
    "title": "t",
    "sources": {"planted": {"reader": "planted"}},
    "datasets": {"d": {"source": "planted", "size": {"items": 100, "tasks": 3}}},
    "baseline": "MTL",
    "scales": {"quick": {"seeds": [0, 1]}},
}


def study(row: dict[str, object], seeds: tuple[object, object] = ([0], [1]), **other: object) -> StudyConfig:
    network = {"method": "shared_bottom", "encoder": "fingerprint_mlp"}
    gains = {"dataset": "d", "method": "MTL", "tasks": TASKS, "task_sets": {"select": "all"}}
    strategies = [
        {"label": "HOA", "estimator": "hoa"},
        {"label": "MTG", "estimator": "mtg_net", "rounds": [1]},
        {"label": "Random", "estimator": "random"},
    ]
    collections = {"one": {**gains, "seeds": seeds[0]}, "two": {**gains, "seeds": seeds[1]}}
    grouping = {"gains": collections, "strategies": strategies, "budgets": 3}
    methods = [{"label": "MTL", **network}, {"label": "ROW", **network, **row}]
    return parse(StudyConfig, {**STUDY, "methods": methods, "grouping": grouping, **other}, "here")


def chosen(**changes: object) -> dict[str, object]:
    return {"groups": {"gains": ["one", "two"], "strategy": "MTG", "budget": 2, **changes}}


def test_each_seed_takes_the_groups_of_its_own_gains():
    runs = [run for run in plan_runs(study(chosen()), "quick") if run.spec.label == "ROW"]
    assert [run.spec.groups for run in runs] == [
        {"gains": name, "strategy": "MTG", "rounds": 1, "budget": 2, "seed": seed}
        for seed, name in enumerate(("one", "two"))
    ]
    shards = make_shards(plan_runs(study(chosen()), "quick"), 1e9, 1000)
    kinds = [(shard.collection, shard.groups) for shard in shards]
    assert sorted(kinds, key=str) == sorted(
        [(None, None), ("one", None), ("two", None), (None, "one"), (None, "two")], key=str
    )


@pytest.mark.parametrize(
    ("row", "other", "said"),
    [
        (chosen(gains=["one"]), {}, "none is of seed 1"),
        (chosen(), {"seeds": ([0], [1, 0])}, "another has its data set, method and seed"),
        (chosen(gains=["one", "two"]), {"seeds": ([0, 1], [2])}, "must have one seed"),
        (chosen(strategy="Random"), {}, "random groups are drawn anew"),
        (chosen(strategy="TAG"), {}, "'TAG'"),
        (chosen(budget=4), {}, "at most 3"),
        (chosen(rounds=2), {}, "2 is none of the strategy's"),
        (chosen(), {"grouping": None}, "no `grouping`"),
        (chosen(), {"splits": {"schemes": ["random", "scaffold"]}}, "name one in splits.schemes"),
        ({**chosen(), "ensemble": 2}, {}, "not both"),
        ({"ensemble": 2, "method": "single_task"}, {}, "no network that learns tasks together"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_are_refused(row, other, said):
    with pytest.raises(RelataskError, match=re.escape(said)):
        plan_runs(study(row, **other), "quick")
