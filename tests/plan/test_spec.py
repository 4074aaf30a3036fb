"""A run is named by what decides its result."""

import json
from dataclasses import asdict, replace

import pytest

from relatask.plan.spec import RunSpec
from tests.helpers.prepared_dataset import make_spec

SPEC = make_spec()


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "other"},
        {"method": "single_task"},
        {"encoder": "gin"},
        {"split": "random"},
        {"seed": 1},
        {"tasks": ("task0",)},
        {"options": {"depth": 2}},
        {"encoder_options": {"width": 17}},
        {"training": {"epochs": 4}},
        {"balancing": "dwa"},
        {"balancing_options": {"temperature": 0.2}},
    ],
)
def test_every_field_but_the_label_changes_the_name(change):
    assert replace(SPEC, **change).run_id != SPEC.run_id


def test_renaming_a_row_does_not_rename_its_runs():
    assert replace(SPEC, label="other").run_id == SPEC.run_id


def test_the_name_is_stable_over_versions():
    # a change of this value retrains what everybody has trained
    spec = RunSpec("tox21", "shared_bottom", "gin", "equal", "scaffold", 0, options={"b": 1, "a": 2.0})
    assert spec.run_id == "46588fc438d9"
    assert spec.random_seed("epoch", 3) == 6537183265138331916
    assert "balancing_options" not in spec.canonical()


@pytest.mark.parametrize("tasks", ["all", {"part": 0, "of": 2}, ("task0", "task1")])
def test_a_spec_survives_json(tasks):

    spec = replace(SPEC, tasks=tasks)
    assert RunSpec.from_json(json.loads(json.dumps(asdict(spec)))) == spec


def test_seeds_differ_by_purpose_and_run_but_not_by_task_set():
    seeds = {SPEC.random_seed(name, number) for name in ("epoch", "order") for number in range(50)}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert replace(SPEC, seed=1).random_seed("epoch") != SPEC.random_seed("epoch")
    assert replace(SPEC, tasks=("task0",)).random_seed("epoch") == SPEC.random_seed("epoch")


def test_balanced_runs_start_from_the_draws_of_the_plain_one():
    balanced = replace(SPEC, balancing="gradnorm", balancing_options={"alpha": 0.5})
    assert balanced.random_seed("initialisation") == SPEC.random_seed("initialisation")


def test_parts_share_all_tasks_out():
    tasks = [f"task{number}" for number in range(7)]
    parts = [replace(SPEC, tasks={"part": part, "of": 3}).select(tasks) for part in range(3)]
    assert sorted(task for part in parts for task in part) == tasks
    assert replace(SPEC, tasks=("task5", "task2")).select(tasks) == ["task2", "task5"]
    assert SPEC.select(tasks) == tasks
