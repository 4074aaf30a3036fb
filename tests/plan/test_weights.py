"""Weights are part of the runs that read them, and a row that cannot use them is refused."""

from typing import Any

import pytest

from relatask.config import StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.plan.plan import plan_runs
from relatask.plan.spec import RunSpec
from tests.helpers.planned_study import MTL, study

ALL: dict[str, Any] = {"weight_column": "w", "classes": "balanced", "tasks": {"x": 2.0}}
MOLECULES = {"reader": "table", "path": "x.csv"}
STL = {"label": "STL", "method": "single_task", "encoder": "gin"}


def planned(
    weights: Any, *rows: dict[str, Any], source: dict[str, Any] | None = None, **changes: Any
) -> list[RunSpec]:
    datasets = {"a": {"source": "s", **({"weights": weights} if weights else {})}}
    given = study(datasets=datasets, methods=[STL, *rows], sources={"s": source or MOLECULES}, **changes)
    return [run.spec for run in plan_runs(parse(StudyConfig, given, "study"), "quick")]


def test_runs_without_weights_have_the_names_that_they_had() -> None:
    plain, off = planned(None), planned(ALL, {**MTL, "label": "MTL", "weights": False})
    assert "weights" not in plain[0].canonical()
    assert "weights" not in plain[0].as_dict()
    without = next(spec for spec in off if spec.label == "MTL")
    (same, *_) = (spec for spec in planned(None, {**MTL, "label": "MTL"}) if spec.label == "MTL")
    assert without.run_id == same.run_id


def test_weights_are_part_of_a_run_and_not_of_its_draws() -> None:
    for weights in ({"weight_column": "w"}, {"classes": {"x": {"0": 2.0}}}, {"classes": 3.0}):
        plain, found = planned(None)[0], planned(weights)[0]
        assert found.weights == weights
        assert found.run_id != plain.run_id
        assert found.random_seed("epoch") == plain.random_seed("epoch")
        assert RunSpec.from_json(found.as_dict()) == found


def test_weights_of_tasks_are_no_part_of_runs_that_learn_each_task_by_itself() -> None:
    assert planned({"tasks": {"x": 2.0}})[0].run_id == planned(None)[0].run_id
    (both, *_) = planned(ALL)
    assert both.weights == {"weight_column": "w", "classes": "balanced"}
    network = planned(ALL, {**MTL, "label": "MTL"})[-1]
    assert network.weights == ALL


@pytest.mark.parametrize(
    ("weights", "row", "message"),
    [
        (
            {"weight_column": "w"},
            {"method": "metalink", "encoder": "gin"},
            r"methods.X on data set 'a': method 'metalink' cannot use weights of items "
            r"\(datasets.a.weights.weight_column\); set `weights: false` in the row",
        ),
        ({"classes": "balanced"}, {"method": "label_mean"}, r"use weights of classes \(datasets.a.wei"),
        ({"tasks": {"x": 2}}, {"method": "matrix_factorisation"}, "cannot use weights of tasks"),
        ({"tasks": {"x": 2}}, {**MTL, "balancing": "dwa"}, "balancing 'dwa' weighs tasks itself"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_use_a_weight_is_refused(weights: Any, row: dict[str, Any], message: str) -> None:
    with pytest.raises(RelataskError, match=message):
        planned(weights, {"label": "X", **row})
    assert planned(weights, {"label": "X", **row, "weights": False})


@pytest.mark.parametrize(
    ("weights", "source", "message"),
    [
        ({"classes": "balanced"}, {"values": "real"}, "weights.classes: the tasks have measured values"),
        ({"classes": 2.0}, {"values": "class"}, "a number is the weight of label 1, and some tasks"),
        ({"tasks": {"x": 0}}, {}, r"weights.tasks.x: Input should be greater than 0 \(got 0\)"),
        ({"classes": {"x": {"0": -1}}}, {}, "weights.classes"),
        ({"tasks": {"x": float("inf")}}, {}, "weights.tasks.x: Input should be a finite number"),
        ({"tasks": {}}, {}, "name weight_column, classes or tasks, or remove the key"),
        ({"weigth_column": "w"}, {}, "unknown key 'weigth_column' in 'datasets.a.weights'.*'weight_column'"),
    ],
)  # fmt: skip
def test_weights_that_say_nothing_are_refused(weights: Any, source: dict[str, Any], message: str) -> None:
    metrics = {"real": ["mae"], "class": ["accuracy"]}.get(source.get("values", ""), ["roc_auc"])
    with pytest.raises(RelataskError, match=message):
        planned(weights, source={**MOLECULES, **source}, metrics=metrics)
