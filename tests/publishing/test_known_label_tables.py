"""What studies with known labels show: correlations of tasks, and the metric by the share of known labels."""

import json

import numpy as np
import pandas as pd
import pytest

from relatask.evaluation.label_correlation import label_correlation, mean_correlation
from relatask.publishing import style
from relatask.publishing.figures import known_ratio
from relatask.publishing.figures import label_correlation as correlation_figure
from tests.helpers.data_tables import labels_table, tasks_table


def random_table(n: int = 60, n_tasks: int = 5, missing: float = 0.4) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels [n, tasks] with gaps, as a matrix and as table "labels"."""
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(
        (rng.random((n, n_tasks)) < 0.4).astype(float), columns=[f"t{j}" for j in range(n_tasks)]
    )
    wide["t1"] = np.where(rng.random(n) < 0.8, wide["t0"], 1 - wide["t0"])
    wide = wide.mask(rng.random(wide.shape) < missing)
    long = wide.rename_axis("item_id").reset_index().melt("item_id", var_name="task_id", value_name="value")
    return wide, long.dropna().reset_index(drop=True)


def test_correlations_are_those_of_pandas():
    wide, labels = random_table()
    found = label_correlation(labels, list(wide.columns))
    np.testing.assert_allclose(found, wide.corr(), atol=1e-12)
    expected = [wide.corr().loc[task].drop(task).mean() for task in wide.columns]
    np.testing.assert_allclose(mean_correlation(found), expected)


def test_a_correlation_that_is_not_defined_is_nan():
    wide, _ = random_table()
    wide["t2"] = np.where(wide["t2"].notna(), 1.0, np.nan)  # one class
    wide.loc[2:, "t3"] = np.nan  # two molecules at most
    labels = (
        wide.rename_axis("item_id")
        .reset_index()
        .melt("item_id", var_name="task_id", value_name="value")
        .dropna()
    )
    found = label_correlation(labels, [*wide.columns, "never"])
    defined = ~np.isnan(found)
    assert not defined[[2, 3, 5]].any()
    assert defined[np.ix_([0, 1, 4], [0, 1, 4])].all()
    assert np.isnan(mean_correlation(found)).tolist() == [False, False, True, True, False, True]


def test_the_map_has_the_least_correlated_task_first():
    wide, cells = random_table(missing=0.1)
    labels = labels_table(cells["item_id"], cells["task_id"], cells["value"])
    tasks = tasks_table(wide.columns, name=[f"Task {name}" for name in wide.columns])
    drawn = correlation_figure.table(tasks, labels)
    grid = drawn.pivot(index="task_i", columns="task_j", values="correlation")
    first, last = drawn["task_i"].iloc[0], drawn["task_i"].iloc[-1]
    means = {task: grid.loc[task].drop(task).mean() for task in wide.columns}
    assert means[first] == min(means.values())
    assert means[last] == max(means.values())
    assert {"t0", "t1"} >= {last}
    with style.styled():
        assert correlation_figure.plot(drawn, "toy").axes


def test_the_map_is_of_values_without_bounds_and_codes():
    wide, cells = random_table(missing=0.1)
    kinds = ["class" if name == "t3" else "real" for name in wide.columns]
    tasks = tasks_table(wide.columns, kind=kinds)
    bounded, values = (cells["task_id"] == "t0") & (cells["item_id"] < 20), cells["value"]
    labels = labels_table(
        cells["item_id"], cells["task_id"], values.mask(bounded, 10.0), np.where(bounded, ">", "=")
    )
    drawn = correlation_figure.table(tasks, labels).set_index(["task_i", "task_j"])["correlation"]
    rest = wide.mask((wide.columns == "t0") & (wide.index < 20)[:, None])
    assert drawn["t0", "t1"] == pytest.approx(rest["t0"].corr(rest["t1"]))
    assert drawn["t3"].isna().all()


def planned(label: str, method: str, **options: object) -> dict[str, object]:
    settings = {"method": options, "training": {"epochs": 3}}
    common = {"dataset": "toy", "split": "random", "seed": 0, "restart": 0, "encoder": None}
    return {
        "run_id": label,
        "label": label,
        "method": method,
        "hyperparameters": json.dumps(settings),
        **common,
    }


@pytest.fixture
def plan() -> pd.DataFrame:
    rows = [
        planned("ERM", "shared_bottom"),
        planned("Rel", "metalink", known_ratio=0.2, layers=2, setting="relational"),
        planned("Rel_80", "metalink", known_ratio=0.8, layers=2, setting="relational"),
        planned("Deep", "metalink", known_ratio=0.2, layers=5, setting="relational"),
        planned("MF", "matrix_factorisation", known_ratio=0.2),
        planned("MF_50", "matrix_factorisation", known_ratio=0.5),
    ]
    return pd.DataFrame(rows)


def test_methods_that_differ_in_the_ratio_alone_are_one_line(plan):
    values = {"ERM": 0.6, "Rel": 0.7, "Rel_80": 0.8, "Deep": 0.75, "MF": 0.65, "MF_50": 0.66}
    metrics = pd.DataFrame({"run_id": list(values), "value": values.values()})
    metrics = metrics.assign(task_id="t", fold="test", metric="roc_auc")
    drawn = known_ratio.table(plan, metrics, "ERM", "roc_auc")
    lines = {
        name: list(zip(line["ratio"], line["mean"], strict=True)) for name, line in drawn.groupby("method")
    }
    expected = {"ERM": [(0.0, 0.6)], "Rel": [(0.2, 0.7), (0.8, 0.8)], "MF": [(0.2, 0.65), (0.5, 0.66)]}
    assert lines == expected
    with style.styled():
        (axes,) = known_ratio.plot(drawn, list(plan["label"]), "ERM", "roc_auc").axes
    assert sorted(axes.get_legend_handles_labels()[1]) == ["ERM", "MF", "Rel"]


def test_without_two_ratios_the_figure_says_so(plan):
    plan = plan[plan["label"].isin(["ERM", "Rel"])]
    metrics = pd.DataFrame({"run_id": ["ERM", "Rel"], "value": [0.6, 0.7]})
    metrics = metrics.assign(task_id="t", fold="test", metric="roc_auc")
    drawn = known_ratio.table(plan, metrics, "ERM", "roc_auc")
    assert set(drawn["method"]) == {"ERM"}
    with style.styled():
        assert not known_ratio.plot(drawn, ["ERM", "Rel"], "ERM", "roc_auc").axes
