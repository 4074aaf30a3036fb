"""A run is named by what decides its result."""

import json
from dataclasses import replace

import pytest

from relatask.core.errors import RelataskError
from relatask.plan.spec import Component, RunSpec
from tests.helpers.prepared_dataset import make_spec

SPEC = make_spec()


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "other"},
        {"method": Component("single_task", SPEC.method.options)},
        {"method": SPEC.method.with_options(depth=2)},
        {"encoder": Component("gin", SPEC.encoder.options)},
        {"encoder": SPEC.encoder.with_options(width=17)},
        {"balancing": Component("dwa")},
        {"balancing": Component("equal", {"temperature": 0.2})},
        {"split": "random"},
        {"seed": 1},
        {"tasks": ("task0",)},
        {"training": {"epochs": 4}},
        {"graph": "shuffled"},
        {"prior": "0123456789ab"},
        {"groups": {"gains": "g", "strategy": "s", "rounds": None, "budget": 2, "seed": 0}},
        {"ensemble": 2},
        {"member": 1},
        {"episodes": {"ways": 5, "shots": 1, "queries": 1, "evaluated": 8}},
    ],
    ids=str,
)
def test_every_field_but_the_label_changes_the_name(change):
    assert replace(SPEC, **change).run_id != SPEC.run_id


def test_renaming_a_row_does_not_rename_its_runs():
    assert replace(SPEC, label="other").run_id == SPEC.run_id


NETWORK = RunSpec(
    "tox21", Component("shared_bottom", {"b": 1, "a": 2.0}), Component("gin"), "scaffold", 0, label="MTL"
)
DEFAULT = {"schedule": "constant", "augmentation": "none"}


def test_the_name_is_stable_over_versions():
    # a change of this value retrains what everybody has trained
    assert NETWORK.run_id == "fd9e7387c8c7"


@pytest.mark.parametrize(
    ("changes", "seed"),
    [
        ({}, 6537183265138331916),
        ({"training": DEFAULT}, 6537183265138331916),
        ({"balancing": Component("dwa", {"temperature": 1.0})}, 6537183265138331916),
        ({"tasks": ("a", "b"), "graph": "shuffled", "prior": "x", "ensemble": 3}, 6537183265138331916),
    ],
    ids=str,
)
def test_the_draws_are_stable_over_versions(changes, seed):
    # a change of these values changes the numbers of committed studies
    assert replace(NETWORK, **changes).random_seed("epoch", 3) == seed


def test_a_schedule_an_augmentation_and_another_member_have_draws_of_their_own():
    plain = replace(NETWORK, training=DEFAULT)
    others = [
        replace(plain, training={**DEFAULT, "schedule": "cosine"}),
        replace(plain, training={**DEFAULT, "augmentation": "crop_flip"}),
        replace(plain, member=1),
    ]
    assert len({one.random_seed("epoch") for one in [plain, *others]}) == 4


def test_options_of_few_shot_methods_do_not_decide_the_draws():
    plain = replace(NETWORK, episodes={"ways": 5, "shots": 1, "queries": 1, "evaluated": 8})
    deeper = replace(plain, method=plain.method.with_options(layers=2))
    assert deeper.random_seed("initialisation") == plain.random_seed("initialisation")


def test_a_run_without_an_encoder_says_so_where_one_is_needed():
    with pytest.raises(RelataskError, match="MTL: method 'shared_bottom' needs an encoder"):
        replace(NETWORK, encoder=None).required_encoder()


@pytest.mark.parametrize("tasks", ["all", {"part": 0, "of": 2}, ("task0", "task1")])
def test_a_spec_survives_json(tasks):

    spec = replace(SPEC, tasks=tasks)
    assert RunSpec.from_json(json.loads(json.dumps(spec.as_dict()))) == spec


def test_seeds_differ_by_purpose_and_run_but_not_by_task_set():
    seeds = {SPEC.random_seed(name, number) for name in ("epoch", "order") for number in range(50)}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert replace(SPEC, seed=1).random_seed("epoch") != SPEC.random_seed("epoch")
    assert replace(SPEC, tasks=("task0",)).random_seed("epoch") == SPEC.random_seed("epoch")


def test_balanced_runs_start_from_the_draws_of_the_plain_one():
    balanced = replace(SPEC, balancing=Component("gradnorm", {"alpha": 0.5}))
    assert balanced.random_seed("initialisation") == SPEC.random_seed("initialisation")


def test_parts_share_all_tasks_out():
    tasks = [f"task{number}" for number in range(7)]
    parts = [replace(SPEC, tasks={"part": part, "of": 3}).select(tasks) for part in range(3)]
    assert sorted(task for part in parts for task in part) == tasks
    assert replace(SPEC, tasks=("task5", "task2")).select(tasks) == ["task2", "task5"]
    assert SPEC.select(tasks) == tasks
