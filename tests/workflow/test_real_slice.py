"""A small real slice from raw files to tables: Tox21 and KIBA with STRING."""

from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.workflow import run_warm, write_study

STUDY = {
    "title": "A slice of real data",
    "sources": {
        "tox21": {"reader": "table", "task_columns": ["NR-AhR", "SR-MMP", "NR-ER"]},
        "kiba": {"reader": "kiba", "active": {"at_most": 3.0}},
    },
    "datasets": {
        "tox21_slice": {"source": "tox21", "size": {"items": 7800, "tasks": 3}},
        "kiba_t100": {
            "source": "kiba",
            "relations": {"source": "string_v9_1", "channel": "experimental"},
            "densify": {"tau": 100},
            "size": {"items": 566, "tasks": 140},
        },
    },
    "splits": {"schemes": ["random"]},
    "training": {"epochs": 6},
    "methods": [
        {"label": "RF", "method": "random_forest", "options": {"n_estimators": 30}},
        {"label": "MTL", "method": "shared_bottom", "encoder": "fingerprint_mlp"},
    ],
    "baseline": "RF",
    "scales": {"quick": {"seeds": [0], "encoders": {"fingerprint_mlp": {"width": 128}}}},
}


@pytest.fixture(scope="module")
def results(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slice")
    study = write_study(folder, STUDY, name="slice")
    run_warm(folder, "--config", f"study={study}", f"mirror={mirror}")
    return folder / "results"


def test_real_data_reach_the_tables(results: Path):
    summary = pd.read_parquet(results / "slice" / "summary.parquet")
    auc = summary.query("fold == 'test' and metric == 'roc_auc'").set_index(["dataset", "method"])["mean"]
    # Random splits, three well-measured Tox21 assays: a random forest reaches about 0.83.
    assert 0.75 < auc["tox21_slice", "RF"] < 0.95
    assert 0.65 < auc["tox21_slice", "MTL"] < 0.95
    assert 0.60 < auc["kiba_t100", "RF"] < 0.95


def test_kiba_tasks_are_related_and_dense(results: Path):
    tasks = pd.read_parquet(results / "slice" / "data" / "kiba_t100" / "tasks.parquet")
    labels = pd.read_parquet(results / "slice" / "data" / "kiba_t100" / "labels.parquet")
    relations = pd.read_parquet(results / "slice" / "data" / "kiba_t100" / "relations.parquet")
    assert (tasks["n_pos"] >= 10).all()
    assert (tasks["n_neg"] >= 10).all()
    assert labels.groupby("item_id").size().min() >= 100
    assert (relations["task_i"] < relations["task_j"]).all()
    assert relations["score"].between(0, 1, inclusive="right").all()
