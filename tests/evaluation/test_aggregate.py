"""Means over tasks and seeds, spreads and deltas, with figures worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.core.tables import COLUMNS, read_table, write_table
from relatask.evaluation.aggregate import join_plan, per_task, summarise, trainings
from tests.helpers.study_tables import make_metrics, make_plan

NAN = float("nan")


def summary_of(plan: pd.DataFrame, metrics: pd.DataFrame, baseline: str = "STL") -> pd.DataFrame:
    return summarise(join_plan(plan, metrics), baseline).set_index("method")


def test_mean_over_tasks_then_mean_and_spread_over_seeds() -> None:
    values = {("STL", 0): (0.5, 0.7), ("STL", 1): (0.6, 1.0), ("MTL", 0): (0.7, 0.7), ("MTL", 1): (0.8, 0.9)}
    plan = make_plan(seeds=(0, 1))
    metrics = make_metrics(plan, ["t0", "t1"], lambda d, m, s, t: values[m, s][int(t[1])])
    table = summary_of(plan, metrics)
    assert table.loc["STL", "mean"] == pytest.approx((0.6 + 0.8) / 2)
    assert table.loc["STL", "std"] == pytest.approx(np.sqrt(0.02))  # of a sample, with n - 1
    assert table.loc["MTL", "delta"] == pytest.approx(((0.2 + 0.0) / 2 + (0.2 - 0.1) / 2) / 2)
    assert table.loc["STL", "delta"] == 0
    assert table.loc["MTL", ["n_seeds", "n_tasks", "n_undefined"]].tolist() == [2, 2, 0]


def test_one_seed_has_no_spread() -> None:
    plan = make_plan(seeds=(4,))
    table = summary_of(plan, make_metrics(plan, ["t"], lambda *_: 0.5))
    assert table["std"].isna().all()
    assert table["mean"].tolist() == [0.5, 0.5]


def test_undefined_cells_are_left_out_and_counted_never_zero_or_a_half() -> None:
    plan = make_plan(seeds=(0, 1))
    undefined = {("STL", 0, "t1"), ("STL", 1, "t1"), ("MTL", 1, "t0")}
    metrics = make_metrics(
        plan, ["t0", "t1"], lambda d, m, s, t: NAN if (m, s, t) in undefined else (0.8 if m == "STL" else 0.9)
    )
    table = summary_of(plan, metrics)
    assert table.loc["STL", "mean"] == pytest.approx(0.8)
    assert table.loc["STL", ["n_tasks", "n_undefined"]].tolist() == [1, 2]
    assert table.loc["MTL", ["n_tasks", "n_undefined"]].tolist() == [2, 1]
    assert table.loc["MTL", "delta"] == pytest.approx(0.1)  # over (seed 0, t0) alone


def test_delta_compares_like_with_like() -> None:
    """The method lacks the hard task: its mean looks better, its delta is that of the shared task."""
    plan = make_plan(seeds=(0,))
    values = {("STL", "easy"): 0.9, ("STL", "hard"): 0.5, ("MTL", "easy"): 0.85, ("MTL", "hard"): NAN}
    table = summary_of(plan, make_metrics(plan, ["easy", "hard"], lambda d, m, s, t: values[m, t]))
    assert table.loc["MTL", "mean"] > table.loc["STL", "mean"]
    assert table.loc["MTL", "delta"] == pytest.approx(-0.05)


def test_a_cell_that_no_run_reports_counts_as_undefined() -> None:
    plan = make_plan(seeds=(0,))
    metrics = make_metrics(plan, ["t0", "t1", "t2"], lambda *_: 0.7)
    mtl = plan.loc[plan["label"] == "MTL", "run_id"].iloc[0]
    metrics = metrics[~((metrics["run_id"] == mtl) & (metrics["task_id"] == "t2"))]
    assert summary_of(plan, metrics).loc["MTL", "n_undefined"] == 1


def test_a_method_without_any_value_has_a_row_of_nothing() -> None:
    plan = make_plan(seeds=(0, 1))
    table = summary_of(plan, make_metrics(plan, ["t0"], lambda d, m, s, t: NAN if m == "MTL" else 0.6))
    assert math.isnan(table.loc["MTL", "mean"])
    assert math.isnan(table.loc["MTL", "delta"])
    assert table.loc["MTL", ["n_seeds", "n_tasks", "n_undefined"]].tolist() == [0, 0, 2]


def test_parts_of_a_method_are_one_result() -> None:
    tasks = [f"t{i}" for i in range(7)]

    def value(dataset: str, method: str, seed: int, task: str) -> float:
        return 0.5 + 0.01 * int(task[1]) + 0.1 * seed

    whole = make_plan(seeds=(0, 1))
    cut = make_plan(seeds=(0, 1), parts={"MTL": 3})
    expected = summary_of(whole, make_metrics(whole, tasks, value))
    found = summary_of(cut, make_metrics(cut, tasks, value))
    pd.testing.assert_frame_equal(found, expected)
    assert found.loc["MTL", "n_tasks"] == 7


def test_two_runs_with_the_same_cell_are_refused() -> None:
    plan = make_plan(seeds=(0,))
    plan["label"] = "STL"
    with pytest.raises(RelataskError, match="task 't0' of method 'STL' on toy, split random-0"):
        join_plan(plan, make_metrics(plan, ["t0"], lambda *_: 0.5))


def test_metrics_of_an_unknown_run_are_refused() -> None:
    plan = make_plan(seeds=(0,))
    metrics = make_metrics(plan, ["t0"], lambda *_: 0.5)
    with pytest.raises(RelataskError, match="which the plan does not know"):
        join_plan(plan.iloc[:1], metrics)


def test_data_sets_splits_folds_and_metrics_do_not_mix(tmp_path) -> None:
    plan = pd.concat([make_plan(datasets=("a", "b")), make_plan(datasets=("a",), split="scaffold")])
    metrics = make_metrics(
        plan,
        ["t0", "t1"],
        lambda d, m, s, t: 0.5 + 0.1 * (d == "a") + 0.2 * (m == "MTL"),
        metrics=("roc_auc", "brier"),
        folds=("valid", "test"),
    )
    table = summarise(join_plan(plan, metrics), "STL")
    assert len(table) == 3 * 2 * 2 * 2
    assert table["n_undefined"].eq(0).all()
    means = table.groupby(["dataset", "method"])["mean"].agg(["min", "max"]).round(12)
    assert means.loc[("a", "MTL")].tolist() == [0.8, 0.8]
    assert means.loc[("b", "STL")].tolist() == [0.5, 0.5]
    write_table("summary", table, tmp_path / "summary.parquet")
    assert read_table("summary", tmp_path / "summary.parquet").columns.tolist() == list(COLUMNS["summary"])


def test_order_of_runs_and_rows_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    plan = make_plan(methods=("STL", "MTL", "RF"))
    metrics = make_metrics(plan, [f"t{i}" for i in range(5)], lambda *_: float(rng.random()))
    expected = summarise(join_plan(plan, metrics), "STL")
    shuffled = summarise(
        join_plan(plan.sample(frac=1, random_state=1), metrics.sample(frac=1, random_state=2)), "STL"
    )
    pd.testing.assert_frame_equal(shuffled, expected, rtol=1e-14)


def test_per_task_values_are_means_over_seeds() -> None:
    plan = make_plan(seeds=(0, 1))
    metrics = make_metrics(
        plan, ["t0", "t1"], lambda d, m, s, t: NAN if (t, s) == ("t1", 1) else 0.6 + 0.2 * s
    )
    table = per_task(join_plan(plan, metrics), "roc_auc").set_index(["task_id", "method"])
    assert table.loc[("t0", "MTL"), ["mean", "std", "n_seeds"]].tolist() == pytest.approx(
        [0.7, np.sqrt(0.02), 2]
    )
    assert table.loc[("t1", "STL"), "mean"] == pytest.approx(0.6)
    assert math.isnan(table.loc[("t1", "STL"), "std"])


def test_restarts_of_a_row_on_a_split_count_once_by_their_mean() -> None:
    once = make_plan(methods=["STL"], seeds=(0, 1))
    plans = [once, once.assign(run_id=once["run_id"] + "r", restart=1)]
    values = [{0: 0.5, 1: 0.6}, {0: 0.7, 1: 1.0}]
    metrics = [
        make_metrics(plan, ["t"], lambda _d, _m, seed, _t, own=own: own[seed])
        for plan, own in zip(plans, values, strict=True)
    ]
    both = pd.concat(plans, ignore_index=True), pd.concat(metrics, ignore_index=True)
    assert trainings(*both)["value"].nunique() == 4
    cells = join_plan(*both)
    assert cells.set_index("seed")["value"].to_dict() == pytest.approx({0: 0.6, 1: 0.8})
    assert summarise(cells, "STL")[["n_seeds", "mean"]].values.tolist() == [[2, pytest.approx(0.7)]]
