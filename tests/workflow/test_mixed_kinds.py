"""A study whose tasks are labels of 0 and 1, measured values with bounds, and classes, side by side."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import relatask
from tests.helpers.workflow import run_warm, write_study

KIND_OF = {"toxic": "binary", "pIC50": "real", "colour": "class"}
METRICS = {
    "binary": {"roc_auc", "brier"},
    "real": {"r2", "spearman", "rmse"},
    "class": {"accuracy", "balanced_accuracy"},
}
MTL = {"label": "MTL", "method": "shared_bottom", "encoder": "fingerprint_mlp"}
METHODS: list[dict[str, Any]] = [
    {"label": "RF", "method": "random_forest", "options": {"n_estimators": 20}},
    {"label": "GB", "method": "gradient_boosting", "options": {"max_iter": 20}},
    MTL,
    {"label": "STL", "method": "single_task", "encoder": "fingerprint_mlp"},
    {**MTL, "label": "UW", "balancing": "uncertainty", "weights": False},
]
WEIGHTS = {
    "weight_column": "trust",
    "classes": {"toxic": "balanced", "colour": {"red": 2.0}},
    "tasks": {"pIC50": 2.0},
}


def study_of(table: Path, methods: list[dict[str, Any]]) -> dict[str, Any]:
    kinds = {"kinds": {"pIC50": "real", "colour": "class"}, "units": {"pIC50": "log M"}}
    return {
        "title": "Three kinds of task",
        "sources": {"mine": {"reader": "table", "path": str(table), **kinds}},
        "datasets": {"assays": {"source": "mine", "weights": WEIGHTS}},
        "splits": {"schemes": ["random"]},
        "training": {"epochs": 15, "learning_rate": 0.003},
        "methods": methods,
        "baseline": methods[0]["label"],
        "metrics": ["roc_auc", "brier", "r2", "spearman", "rmse", "accuracy", "balanced_accuracy"],
        "scales": {"quick": {"seeds": [0], "encoders": {"fingerprint_mlp": {"width": 64}}}},
    }


@pytest.fixture(scope="module")
def table(tiny_results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 molecules with a label, a measured value (some are bounds) and a class, by their structure."""
    smiles = pd.read_csv(tiny_results / "results" / "raw" / "planted" / "molecules.csv").iloc[:300, 0]
    rng = np.random.default_rng(0)
    aromatic = smiles.str.count("c").to_numpy()
    frame = pd.DataFrame({"smiles": smiles, "toxic": (aromatic > np.median(aromatic)).astype(float)})
    values = 5 + 0.15 * aromatic + 0.1 * rng.normal(size=len(frame))
    texts = np.array([f"{value:.2f}" for value in values], object)
    high = values > np.quantile(values, 0.9)
    texts[high] = f">{np.quantile(values, 0.9):.2f}"
    texts[rng.random(len(frame)) < 0.2] = ""
    frame["pIC50"] = texts
    frame["trust"] = np.where(rng.random(len(frame)) < 0.3, 0.5, 1)
    frame["colour"] = np.array(["red", "green", "blue"], object)[np.digitize(aromatic, [6, 12])]
    path = tmp_path_factory.mktemp("kinds") / "assays.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def results(table: Path) -> Path:
    study = write_study(table.parent, study_of(table, METHODS), name="kinds")
    run_warm(table.parent, "--config", f"study={study}")
    return table.parent / "results"


def test_each_task_has_the_metrics_of_its_kind_and_tables_average_none_across(results: Path) -> None:
    tasks = pd.read_parquet(results / "kinds" / "data" / "assays" / "tasks.parquet").set_index("task_id")
    assert set(tasks["kind"]) == set(KIND_OF.values())
    metrics = pd.read_parquet(results / "kinds" / "metrics.parquet").astype({"task_id": str, "metric": str})
    for task, rows in metrics.groupby("task_id"):
        assert set(rows["metric"]) == METRICS[tasks.loc[task, "kind"]], task
    summary = pd.read_parquet(results / "kinds" / "summary.parquet").query("fold == 'test'")
    assert set(summary["metric"]) == set().union(*METRICS.values())
    assert (summary["n_tasks"] == 1).all()
    assert (summary["n_undefined"] == 0).all()


def test_every_method_learns_every_kind(results: Path) -> None:
    summary = pd.read_parquet(results / "kinds" / "summary.parquet").query("fold == 'test'")
    value = summary.pivot(index="method", columns="metric", values="mean")
    assert sorted(value.index) == sorted(row["label"] for row in METHODS)
    assert (value["roc_auc"] > 0.7).all()
    assert (value["r2"] > 0.1).all()
    assert (value["spearman"] > 0.4).all()
    assert (value["accuracy"] > 0.5).all()


def test_predictions_are_in_the_unit_of_the_task_and_bounds_are_not_counted(results: Path) -> None:
    tasks = pd.read_parquet(results / "kinds" / "data" / "assays" / "tasks.parquet")
    (task,) = tasks.loc[tasks["kind"] == "real", "task_id"]
    labels = pd.read_parquet(results / "kinds" / "data" / "assays" / "labels.parquet").astype(
        {"task_id": str, "bound": str}
    )
    bounded = set(labels[(labels["task_id"] == task) & (labels["bound"] == ">")]["item_id"])
    assert len(bounded) > 10
    found = pd.read_parquet(results / "kinds" / "predictions.parquet").astype({"task_id": str})
    own = found[found["task_id"] == task]
    assert own["score"].between(4, 11).all()
    assert not bounded & set(own["item_id"])


def test_tables_have_a_column_for_each_kind_and_its_metrics(results: Path) -> None:
    text = (results / "kinds" / "tables" / "all_metrics.md").read_text()
    assert all(name in text for name in ("ROC-AUC", "Spearman correlation", "R²", "balanced accuracy"))
    main = (results / "kinds" / "tables" / "main.md").read_text()
    header = next(line for line in main.splitlines() if line.startswith("| method"))
    assert [" ".join(cell.split()) for cell in header.split("|")[2:-1]] == [
        "assays random ROC-AUC", "assays random R²", "assays random accuracy"
    ]  # fmt: skip
    for said in (
        "in log M: root mean squared error",
        "No metric reads them",
        "trained with weights",
        "not UW",
    ):
        assert said in main


def test_runs_are_trained_with_the_weights_of_their_row(results: Path) -> None:
    items = pd.read_parquet(results / "kinds" / "data" / "assays" / "items.parquet")
    assert set(items["sample_weight"]) == {0.5, 1.0}
    plan = pd.read_parquet(results / "kinds" / "plan.parquet").set_index("label")["spec"].map(json.loads)
    found = {label: spec.get("weights") for label, spec in plan.items()}
    alone = {key: value for key, value in WEIGHTS.items() if key != "tasks"}
    assert found == {"RF": alone, "GB": alone, "STL": alone, "MTL": WEIGHTS, "UW": None}


@pytest.mark.parametrize("label", ["RF", "GB", "MTL", "STL"])
def test_new_molecules_are_predicted_by_kind(results: Path, label: str) -> None:
    runs = pd.read_parquet(results / "kinds" / "plan.parquet").set_index("label")["run_id"]
    model = relatask.load(results / "kinds" / "runs" / runs[label])
    found = model.predict(["CCO", "c1ccccc1O", "no molecule"])
    assert found["reason"].notna().tolist() == [False, False, True]
    assert found["toxic"][:2].between(0, 1).all()
    assert found["pIC50"][:2].between(3, 12).all()
    assert found["colour"][:2].isin(["red", "green", "blue"]).all()
    assert model.units == {"pIC50": "log M"}


def test_a_method_that_cannot_learn_a_kind_is_refused_when_planning(table: Path) -> None:
    rows = [MTL, {"label": "ML", "method": "metalink", "encoder": "fingerprint_mlp"}]
    refused = study_of(table, rows)
    del refused["datasets"]["assays"]["weights"]
    study = write_study(table.parent, refused, name="refused")
    done = run_warm(table.parent, "--dry-run", "--config", f"study={study}", check=False)
    assert done.returncode != 0
    assert "method 'metalink' does not learn labels of kind class, only binary" in done.stdout + done.stderr
