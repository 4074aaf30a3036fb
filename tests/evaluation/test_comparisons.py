"""Comparisons: a fold is one look, cells count where both methods have one, and trainings are told apart."""

import numpy as np
import pandas as pd
import pytest

from relatask.core.tables import write_table
from relatask.evaluation.aggregate import join_plan
from relatask.evaluation.comparisons import compare
from relatask.evaluation.fold_test import Family, interval
from tests.helpers.study_tables import make_metrics, make_plan

TASKS = [f"t{i:02d}" for i in range(20)]
NAN = float("nan")


def comparisons(value, methods=("STL", "MTL"), seeds=range(5), contrasts=(), ratio=0.25) -> pd.DataFrame:
    plan = make_plan(methods=list(methods), seeds=tuple(seeds))
    cells = join_plan(plan, make_metrics(plan, TASKS, value))
    ratios = {("toy", "random"): ratio}
    return compare(cells, "STL", contrasts, test_to_train=ratios, margins={"roc_auc": 0.005})


def drawn(shift: dict[str, float], of_fold: float = 0.0, of_task: float = 0.02):
    """A value of each cell, with noise that the tasks of a fold share and noise of their own."""
    rng = np.random.default_rng(0)
    shared: dict[tuple[str, int], float] = {}

    def value(dataset: str, method: str, seed: int, task: str) -> float:
        fold = shared.setdefault((method, seed), of_fold * rng.standard_normal())
        return 0.7 + shift.get(method, 0.0) + fold + of_task * rng.standard_normal()

    return value


def test_a_difference_is_the_mean_over_folds_of_the_mean_over_tasks_that_both_have() -> None:
    values = {
        (m, s, t): np.random.default_rng(s).random() * (m == "MTL")
        for m in ("STL", "MTL")
        for s in range(3)
        for t in TASKS
    }
    values["MTL", 0, "t00"] = NAN
    values["STL", 1, "t01"] = NAN
    row = comparisons(lambda d, m, s, t: values[m, s, t], seeds=range(3)).iloc[0]
    folds = [np.nanmean([values["MTL", s, t] - values["STL", s, t] for t in TASKS]) for s in range(3)]
    assert (row["n_folds"], row["n_tasks"], row["n_cells"]) == (3, 20, 58)
    assert row["mean_difference"] == pytest.approx(np.mean(folds))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(
        interval(np.array(folds), Family(2, 0.0, 0), 0.25)
    )


def test_a_steady_gain_is_better_and_what_the_tasks_of_a_fold_share_is_not() -> None:
    steady = comparisons(drawn({"MTL": 0.02}, of_task=0.005)).iloc[0]
    assert steady["verdict"] == "better"
    rng_noise = comparisons(drawn({"MTL": 0.0}, of_fold=0.02, of_task=0.002)).iloc[0]
    assert (
        rng_noise["verdict"] == "undecided"
    )  # every task moves with its fold, and a test over tasks would fire


def test_more_methods_make_intervals_wider_and_contrasts_stand_beside_the_baseline() -> None:
    names = ("STL", "MTL", "A", "B", "C")
    value = drawn({"MTL": 0.01, "A": 0.02})
    table = comparisons(value, names, contrasts=[("A", "MTL"), ("Absent", "MTL")])
    assert list(zip(table["method"], table["baseline"], strict=True)) == [
        *((name, "STL") for name in ("A", "B", "C", "MTL")),
        ("A", "MTL"),
    ]
    assert set(table["n_methods"]) == {5}
    width = (table["ci_high"] - table["ci_low"]).iloc[3]
    alone = comparisons(drawn({"MTL": 0.01, "A": 0.02}), ("STL", "MTL")).iloc[0]
    assert width > alone["ci_high"] - alone["ci_low"]


def test_the_pairs_of_a_family_share_a_variance_and_one_that_swings_has_its_own() -> None:
    noise = {"STL": 0.001, "MTL": 0.001, "A": 0.001, "Wild": 0.02}
    rng = np.random.default_rng(0)
    of_fold = {(m, s): noise[m] * rng.standard_normal() for m in noise for s in range(5)}
    table = comparisons(lambda d, m, s, t: 0.7 + 0.05 * (m == "MTL") + of_fold[m, s], tuple(noise))
    width = (table["ci_high"] - table["ci_low"]).set_axis(table["method"])
    assert width["MTL"] == pytest.approx(width["A"])
    assert width["Wild"] > 1.3 * width["A"]
    assert table.set_index("method")["verdict"].to_dict() == {
        "A": "undecided",
        "MTL": "better",
        "Wild": "undecided",
    }


@pytest.mark.parametrize(
    ("seeds", "reason"), [((4,), "1 fold, 3 at least are needed"), ((0, 1), "2 folds, 3 at least are needed")]
)
def test_too_few_folds_have_a_reason(seeds: tuple[int, ...], reason: str) -> None:
    row = comparisons(drawn({"MTL": 0.05}), seeds=seeds).iloc[0]
    assert (row["reason"], row["verdict"]) == (reason, "undecided")
    assert row[["ci_low", "ci_high"]].isna().all()
    assert row["mean_difference"] == pytest.approx(0.05, abs=0.02)


def test_equal_methods_are_equal() -> None:
    row = comparisons(lambda *_: 0.7).iloc[0]
    assert row[["mean_difference", "ci_low", "ci_high"]].tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    assert row["verdict"] == "equal"


def test_a_study_of_one_method_gives_an_empty_table(tmp_path) -> None:
    table = comparisons(lambda *_: 0.5, ("STL",))
    assert table.empty
    write_table("comparisons", table, tmp_path / "comparisons.parquet")


def test_a_data_set_without_the_baseline_says_so(tmp_path) -> None:
    table = comparisons(lambda *_: 0.5, ("MTL",))
    assert (table.loc[0, "n_folds"], table.loc[0, "reason"]) == (0, "0 folds, 3 at least are needed")
    write_table("comparisons", table, tmp_path / "comparisons.parquet")
