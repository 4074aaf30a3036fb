"""Paired tests find what is there, stay silent where nothing is, and refuse to test too few tasks."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from relatask.core.tables import write_table
from relatask.evaluation.aggregate import join_plan
from relatask.evaluation.significance import compare, interval, paired_test
from tests.helpers.study_tables import make_metrics, make_plan

TASKS = [f"t{i:02d}" for i in range(20)]


def comparisons(
    effect: dict[str, float], tasks: list[str], seeds=(0, 1, 2), noise: float = 0.02
) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    plan = make_plan(methods=["STL", *effect], seeds=seeds)
    shift = {"STL": 0.0, **effect}
    metrics = make_metrics(plan, tasks, lambda d, m, s, t: 0.7 + shift[m] + noise * rng.standard_normal())
    return compare(join_plan(plan, metrics), "STL").set_index("method")


def test_a_steady_gain_is_significant_and_its_interval_holds_it() -> None:
    table = comparisons({"MTL": 0.05}, TASKS)
    row = table.loc["MTL"]
    assert row["p_holm"] < 1e-4
    assert row["ci_low"] < 0.05 < row["ci_high"]
    assert row["ci_low"] > 0.03
    assert row["mean_difference"] == pytest.approx(0.05, abs=0.02)


def test_no_gain_is_rarely_significant() -> None:
    """Over 200 studies without an effect about 5 % of uncorrected p values are below 5 %."""
    rng = np.random.default_rng(0)
    p_values = [paired_test(rng.standard_normal(20))["p_value"] for _ in range(200)]
    assert 2 <= sum(p < 0.05 for p in p_values if isinstance(p, float)) <= 20


def test_the_unit_is_the_task_so_more_seeds_of_the_same_do_not_make_it_surer() -> None:
    once = comparisons({"MTL": 0.01}, TASKS, seeds=(0,))
    plan = make_plan(seeds=(0, 1, 2, 3))
    rng = np.random.default_rng(0)
    fixed = {
        (m, t): 0.7 + 0.01 * (m == "MTL") + 0.02 * rng.standard_normal()
        for m in ("STL", "MTL")
        for t in TASKS
    }
    repeated = compare(
        join_plan(plan, make_metrics(plan, TASKS, lambda d, m, s, t: fixed[m, t])), "STL"
    ).set_index("method")
    assert repeated.loc["MTL", "n_pairs"] == 20
    assert repeated.loc["MTL", "n_cells"] == 80
    assert repeated.loc["MTL", "p_value"] == pytest.approx(once.loc["MTL", "p_value"])


def test_the_test_is_scipys_on_task_means() -> None:
    plan = make_plan(seeds=(0, 1))
    rng = np.random.default_rng(5)
    values = {(m, s, t): rng.random() for m in ("STL", "MTL") for s in (0, 1) for t in TASKS}
    row = compare(join_plan(plan, make_metrics(plan, TASKS, lambda d, m, s, t: values[m, s, t])), "STL").iloc[
        0
    ]
    means = [np.mean([values["MTL", s, t] - values["STL", s, t] for s in (0, 1)]) for t in TASKS]
    expected = wilcoxon(means)
    assert row["statistic"] == expected.statistic
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert row["mean_difference"] == pytest.approx(np.mean(means))


def test_holm_corrects_within_a_data_set_split_and_metric() -> None:
    table = comparisons({"A": 0.05, "B": 0.008, "C": 0.0}, TASKS)
    by_size = table.sort_values("p_value")
    expected, largest = [], 0.0
    for rank, p in enumerate(by_size["p_value"]):
        largest = max(largest, min(1.0, p * (3 - rank)))
        expected.append(largest)
    assert by_size["p_holm"].tolist() == pytest.approx(expected)
    alone = comparisons({"A": 0.05}, TASKS)
    assert alone.loc["A", "p_holm"] == alone.loc["A", "p_value"]


def test_five_tasks_give_a_reason_instead_of_a_p_value() -> None:
    table = comparisons({"MTL": 0.05}, TASKS[:5])
    row = table.loc["MTL"]
    assert row["reason"] == "only 5 tasks, at least 6 are needed"
    assert row[["p_value", "p_holm", "ci_low", "ci_high", "statistic"]].isna().all()
    assert row["n_pairs"] == 5
    assert row["mean_difference"] == pytest.approx(0.05, abs=0.03)
    assert comparisons({"MTL": 0.05}, TASKS[:6]).loc["MTL", "p_value"] == pytest.approx(1 / 32)


def test_a_method_equal_to_the_baseline_is_not_tested() -> None:
    table = comparisons({"COPY": 0.0}, TASKS, noise=0.0)
    row = table.loc["COPY"]
    assert row["reason"] == "only 0 tasks differ, at least 6 are needed"
    assert row[["mean_difference", "ci_low", "ci_high"]].tolist() == [0, 0, 0]
    assert np.isnan(row["p_value"])


def test_an_untested_method_does_not_weaken_the_others() -> None:
    plan = make_plan(methods=("STL", "MTL", "FEW"))
    rng = np.random.default_rng(0)

    def value(dataset: str, method: str, seed: int, task: str) -> float:
        return float("nan") if method == "FEW" and task > "t03" else 0.7 + 0.02 * rng.standard_normal()

    table = compare(join_plan(plan, make_metrics(plan, TASKS, value)), "STL").set_index("method")
    assert table.loc["FEW", "reason"].startswith("only 4 tasks")
    assert table.loc["MTL", "p_holm"] == table.loc["MTL", "p_value"]


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(100):
        low, high = interval(rng.normal(0.03, 0.05, 30))
        hits += low <= 0.03 <= high
    assert 88 <= hits <= 99


def test_intervals_are_the_same_every_time() -> None:
    values = np.random.default_rng(1).normal(size=15)
    assert interval(values) == interval(values.copy())
    assert paired_test(values) == paired_test(values.copy())


def test_a_study_of_one_method_gives_an_empty_table(tmp_path) -> None:
    plan = make_plan(methods=("STL",))
    table = compare(join_plan(plan, make_metrics(plan, TASKS, lambda *_: 0.5)), "STL")
    assert table.empty
    write_table("comparisons", table, tmp_path / "comparisons.parquet")


def test_a_data_set_without_the_baseline_says_so() -> None:
    plan = make_plan(methods=("MTL",))
    row = compare(join_plan(plan, make_metrics(plan, TASKS, lambda *_: 0.5)), "STL").iloc[0]
    assert row["n_pairs"] == 0
    assert row["reason"].startswith("only 0 tasks")
