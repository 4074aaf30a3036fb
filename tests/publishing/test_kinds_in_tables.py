"""Tables of tasks of several kinds: each kind has its own metric, its unit, and no mean across kinds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from relatask.core.tables import COLUMNS, write_table
from relatask.evaluation.aggregate import mixed_units
from relatask.evaluation.metrics import METRICS
from relatask.publishing.figures import overview
from relatask.publishing.figures import per_task as per_task_figure
from relatask.publishing.inputs import Inputs
from relatask.publishing.style import value_limits
from relatask.publishing.tables import all_metrics, per_task
from relatask.publishing.tables import main as main_table
from tests.helpers.data_tables import labels_table, tasks_table, write_records
from tests.helpers.study_tables import make_plan, results_of, study_of, write_dataset

from relatask.config import StudyConfig  # isort: skip

KIND_OF = {"tox": "binary", "pIC50": "real", "logP": "real", "colour": "class"}
METRICS_SHOWN = ["roc_auc", "rmse", "r2", "accuracy"]
VALUE = {"roc_auc": 0.8, "rmse": 0.5, "r2": 0.6, "accuracy": 0.7}


def inputs_of(folder: Path, units: dict[str, str | None], weights: dict[str, Any] | None = None) -> Inputs:
    """A finished study of one data set with tasks of three kinds; MTL is better by a tenth than STL."""
    study = study_of(metrics=METRICS_SHOWN)
    study["sources"]["toy"]["kinds"] = {"pIC50": "real", "logP": "real", "colour": "class"}
    if weights:
        study["datasets"]["toy"]["weights"] = weights
        study["methods"][0]["weights"] = False
    write_dataset(folder / "study" / "data" / "toy", list(KIND_OF), seeds=(0, 1))
    classes = [3 if kind == "class" else None for kind in KIND_OF.values()]
    tasks = tasks_table(
        list(KIND_OF),
        kind=list(KIND_OF.values()),
        unit=[units.get(task) for task in KIND_OF],
        n_classes=classes,
        transform=[None, "-log10", "-log10", None],
    )
    write_table("tasks", tasks, folder / "study" / "data" / "toy" / "tasks.parquet")
    names, values, bounds = ["pIC50", "pIC50", "tox", "logP"], [1.0, 2, 0, 9], ["<", "=", "=", ">"]
    labels = labels_table([0, 1, 2, 2], names, values, bounds)
    write_table("labels", labels, folder / "study" / "data" / "toy" / "labels.parquet")
    write_records(folder / "study" / "data" / "toy")
    plan = make_plan(seeds=(0, 1))
    rows = [
        (run.run_id, task, "test", name, VALUE[name] * (1.1 if run.label == "MTL" else 1), 9, 4, None)
        for run in plan.itertuples()
        for task, kind in KIND_OF.items()
        for name in METRICS_SHOWN
        if METRICS[name].of == kind
    ]
    metrics = pd.DataFrame(rows, columns=list(COLUMNS["metrics"]))
    config, mixed = StudyConfig.model_validate(study), ["toy"] if mixed_units(tasks) else []
    known = results_of(config, plan, metrics, mixed)
    return Inputs(config, "quick", folder, known=known)


def test_each_kind_has_a_column_of_its_own_metric_with_its_unit(tmp_path: Path) -> None:
    table = main_table.make(inputs_of(tmp_path, {"pIC50": "log M", "logP": "log M"}))
    header = [
        "method",
        "toy random ROC-AUC",
        "toy random root mean squared error (log M)",
        "toy random accuracy",
    ]
    assert table.header == header
    assert table.rows[0] == ["STL", "80.00 ± 0.00", "0.500 ± 0.000", "70.00 ± 0.00"]
    assert table.rows[1][2] == "0.550 ± 0.000 (+0.050)"
    assert table.data["metric"].unique().tolist() == ["roc_auc", "rmse", "accuracy"]
    assert table.data.groupby("metric")["n_tasks"].first().to_dict() == {
        "roc_auc": 1,
        "rmse": 2,
        "accuracy": 1,
    }
    assert "ROC-AUC, root mean squared error and accuracy" in table.title
    notes = " ".join(table.notes)
    assert "ROC-AUC × 100 (higher is better), root mean squared error (lower is better), accuracy" in notes
    assert "toy: in log M: root mean squared error." in notes
    assert "values were transformed before they were learned (-log10)" in notes
    assert "toy: bounds (< or >) are 2 of its labels. No metric reads them" in notes
    named = tasks_table(["logP"])["name"].item()
    assert f"kernels do not. Nothing but bounds, so in no mean: {named}." in notes


def test_errors_in_several_units_have_no_mean_and_each_task_says_its_own(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path, {"pIC50": "log M", "logP": None})
    table = main_table.make(inputs)
    assert [row[2] for row in table.rows] == ["–", "–"]
    assert "values are in several units (log M, no unit)" in " ".join(table.notes)
    everything = all_metrics.make(inputs)
    place = everything.header.index("root mean squared error")
    assert [row[place] for row in everything.rows] == ["–", "–"]
    assert everything.rows[0][everything.header.index("R²")] == "0.600 ± 0.000"
    rows = {row[2]: row for row in per_task.make(inputs).rows}
    assert rows["pIC50"][3] == "root mean squared error (log M)"
    assert rows["pIC50"][-2:] == ["0.500 ± 0.000", "0.550 ± 0.000"]
    assert rows["logP"][3] == "root mean squared error"
    assert "rmse" not in set(inputs.comparisons["metric"])


def test_the_figure_of_tasks_counts_those_of_its_metric(tmp_path: Path) -> None:
    drawn, figure = per_task_figure.draw(inputs_of(tmp_path, {}), "toy")
    assert drawn["task_id"].unique().tolist() == ["tox"]
    assert not any("are not shown" in text.get_text() for text in figure.texts)


def test_the_overview_has_no_mean_of_errors_in_several_units(tmp_path: Path) -> None:
    for units, shown in (({"pIC50": "log M", "logP": "log M"}, 4), ({"pIC50": "log M"}, 0)):
        folder = tmp_path / str(shown)
        inputs = inputs_of(folder, units)
        study = inputs.study.model_copy(update={"metrics": ["rmse", "roc_auc", "accuracy"]})
        drawn, figure = overview.draw(replace(inputs, study=study))
        assert len(drawn) == shown
        assert any("several units" in text.get_text() for text in figure.texts) is not bool(shown)


def test_axes_hold_errors_above_1_and_r2_below_0() -> None:
    assert value_limits([12.0], "rmse")[1] > 12
    assert value_limits([-3.0, 0.5], "r2")[0] < -3
    assert value_limits([0.4, 0.99], "mae") == pytest.approx((-0.02, 1.02), abs=0.02)
    assert value_limits([0.1, 1.0], "roc_auc") == (0.1 - 0.036, 1.02)


def test_weights_are_said_below_the_table(tmp_path: Path) -> None:
    weights = {"classes": "balanced", "tasks": {"tox": 2.0}}
    notes = " ".join(main_table.make(inputs_of(tmp_path, {}, weights)).notes)
    assert (
        'trained with weights {"classes":"balanced","tasks":{"tox":2.0}}; not STL; metrics read none.'
        in notes
    )
    assert "Weights of tasks change nothing where each task is learned by itself." in notes


@pytest.mark.parametrize(
    ("units", "mixed"),
    [(["nM", "nM"], False), (["nM", "uM"], True), (["nM", None], True), ([None, None], False)],
)
def test_which_values_have_a_mean_error(units: list[str | None], mixed: bool) -> None:
    tasks = pd.DataFrame({"kind": ["real", "real", "binary"], "unit": [*units, "?"]}, dtype=object)
    assert mixed_units(tasks) is mixed
