"""The bootstrap over items and tasks: contributions are derivatives, and intervals those of drawing anew."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from relatask.__main__ import main
from relatask.core.tables import read_table, write_table
from relatask.evaluation.two_way import Contributions, averaged, contributions, intervals
from tests.helpers.study_tables import make_plan, study_of, write_dataset, write_study

TASKS = [f"t{i}" for i in range(7)]

N_ITEMS, N_TASKS = 60, 4


def fold(rng: np.random.Generator, skill: float = 1.0, levels: int = 0):
    item, task = np.indices((N_ITEMS, N_TASKS)).reshape(2, -1)
    kept = rng.random(len(item)) < 0.8
    item, task = item[kept], task[kept]
    label = (rng.random(len(item)) < 0.4).astype(float)
    score = skill * label + rng.normal(size=len(item))
    return item, task, label, np.round(score) if levels else score


def weighted_auc(label: np.ndarray, score: np.ndarray, weight: np.ndarray) -> float:
    return roc_auc_score(label, score, sample_weight=weight)


@pytest.mark.parametrize("levels", [0, 3])
def test_contributions_are_derivatives_of_the_weighted_metric(levels: int) -> None:
    item, task, label, score = fold(np.random.default_rng(0), levels=levels)
    for metric in ("roc_auc", "brier"):
        found = contributions(item, task, label, score, metric, N_TASKS)
        for one in range(N_TASKS):
            own = task == one
            here = found.task == one
            weight = np.ones(own.sum())

            def value(weight: np.ndarray, own: np.ndarray = own, metric: str = metric) -> float:
                if metric == "roc_auc":
                    return weighted_auc(label[own], score[own], weight)
                return float(np.average((score[own] - label[own]) ** 2, weights=weight))

            assert found.value[one] == pytest.approx(value(weight))
            assert found.item[here].tolist() == item[own].tolist()
            for place in (0, 5, 17):
                more = weight.copy()
                more[place] += 1e-5
                slope = (value(more) - value(weight)) / 1e-5
                assert found.share[here][place] == pytest.approx(slope, abs=1e-5)


def test_a_task_of_one_class_has_no_value_and_contributes_nothing() -> None:
    item, task = np.arange(6), np.array([0, 0, 0, 2, 2, 2])
    found = contributions(item, task, np.array([1.0, 1, 1, 0, 1, 0]), np.arange(6.0), "roc_auc", 3)
    assert np.isnan(found.value[:2]).all()
    assert not np.isnan(found.value[2])
    assert (found.share[:3] == 0).all()


def test_the_interval_is_that_of_drawing_items_and_tasks_anew() -> None:
    rng = np.random.default_rng(1)
    item, task, label, score = fold(rng)
    other = score + 0.5 * rng.normal(size=len(score))
    pair = [contributions(item, task, label, own, "roc_auc", N_TASKS) for own in (score, other)]
    low, high = intervals({"A": pair[:1], "B": pair[1:]}, [("A", "B")], N_ITEMS, 2000)["A", "B"]
    drawn = []
    for _ in range(400):
        w = rng.multinomial(N_ITEMS, np.full(N_ITEMS, 1 / N_ITEMS))[item].astype(float)
        v = rng.multinomial(N_TASKS, np.full(N_TASKS, 1 / N_TASKS))
        each = []
        for one in range(N_TASKS):
            own = (task == one) & (w > 0)
            values = [weighted_auc(label[own], own_score[own], w[own]) for own_score in (score, other)]
            each.append(values[0] - values[1])
        drawn.append(np.average(each, weights=v))
    expected = np.percentile(drawn, [2.5, 97.5])
    assert high - low == pytest.approx(expected[1] - expected[0], rel=0.2)
    assert (low + high) / 2 == pytest.approx(expected.mean(), abs=0.2 * (high - low))


def test_what_all_tasks_of_an_item_share_widens_the_interval() -> None:
    """A bootstrap of tasks alone would take a hundred tasks that err together for a hundred looks."""
    rng = np.random.default_rng(2)
    item, task = np.indices((40, 100)).reshape(2, -1)
    value = np.zeros(100)
    shared = rng.normal(size=40)[item] / 40
    own = rng.normal(size=len(item)) / 40
    widths = []
    for share in (shared, own):
        one, none = Contributions(item, task, value, share), Contributions(item, task, value, 0 * share)
        low, high = intervals({"A": [one], "B": [none]}, [("A", "B")], 40)["A", "B"]
        widths.append(high - low)
    assert widths[0] > 5 * widths[1]


def test_folds_in_which_a_method_was_not_tested_are_left_out() -> None:
    rng = np.random.default_rng(3)
    item, task, label, score = fold(rng)
    one = contributions(item, task, label, score, "roc_auc", N_TASKS)
    methods = {"A": [one, one], "B": [one, None], "C": [None, None]}
    found = intervals(methods, [("A", "B"), ("A", "C")], N_ITEMS, 50)
    assert found["A", "B"] == (0, 0)
    assert np.isnan(found["A", "C"]).all()
    assert intervals({}, [], 0) == {}
    both = averaged([one, Contributions(one.item, one.task, one.value + 1, 3 * one.share)])
    np.testing.assert_allclose(both.value, one.value + 0.5)
    np.testing.assert_allclose(both.share, 2 * one.share)


def test_the_step_pairs_the_rows_of_a_study_by_the_predictions_that_they_saved(tmp_path: Path) -> None:
    study = write_study(tmp_path, study_of(metrics=["roc_auc", "brier", "ece"]), "toy")
    folder, rng = study.parent, np.random.default_rng(0)
    write_dataset(folder / "data" / "toy", TASKS, seeds=(0, 1))
    plan = make_plan(seeds=(0, 1))
    cells = pd.DataFrame(
        [
            (run, "test", item, task, float(rng.random() < 0.5))
            for run in sorted(plan["run_id"])
            for item in range(40)
            for task in TASKS
        ],
        columns=["run_id", "fold", "item_id", "task_id", "label"],
    )
    cells["label"] = cells.groupby(["item_id", "task_id"])["label"].transform("first")
    label = cells["run_id"].map(plan.set_index("run_id")["label"])
    noise = np.where(label == "MTL", 0.2, 5.0) * rng.normal(size=len(cells))
    cells["score"] = 1 / (1 + np.exp(-(cells["label"] - 0.5 + noise)))
    write_table("plan", plan, folder / "plan.parquet")
    write_table("predictions", cells, folder / "predictions.parquet")
    out = folder / "item_intervals.parquet"
    assert main(["resample_items", "--study", str(folder), "--out", str(out)]) == 0
    found = read_table("item_intervals", out).set_index("metric")
    assert list(found.index) == ["roc_auc", "brier"]  # the calibration error is no mean
    assert (found[["method", "baseline"]] == ["MTL", "STL"]).all(axis=None)
    auc = [
        roc_auc_score(own["label"], own["score"]) for _, own in cells.groupby([label, "run_id", "task_id"])
    ]
    difference = np.mean(auc[: len(auc) // 2]) - np.mean(auc[len(auc) // 2 :])
    assert 0 < found.loc["roc_auc", "low"] < difference < found.loc["roc_auc", "high"]
    assert found.loc["brier", "high"] < 0
