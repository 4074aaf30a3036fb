"""The default study from start to end, as `make run` runs it, and what it must show."""

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from relatask.core.files import sha256_of
from tests.helpers.workflow import run_snakemake

pytestmark = pytest.mark.timeout(1800)  # minutes when idle, but a machine may be slow or busy


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder `results/` of the demo, run as `make run` does."""
    folder = tmp_path_factory.mktemp("demo")
    run_snakemake(folder)
    run_snakemake(folder, "--report", "results/report.html")
    return folder / "results"


def _test_auc(results: Path) -> pd.Series:
    summary = pd.read_parquet(results / "demo" / "summary.parquet")
    return summary.query("fold == 'test' and metric == 'roc_auc'").set_index("method")["mean"]


def test_every_method_learns_and_none_too_well(demo: Path):
    auc = _test_auc(demo)
    assert {"STL_MLP", "MTL_MLP", "MTL_GIN", "RF", "GB", "PairwiseKernel"} <= set(auc.index)
    assert auc.between(0.6, 0.95).all(), auc


def test_true_relations_are_ahead_of_multi_task_learning_and_of_shuffled_ones(demo: Path):
    """The planted relations are true, so this is what tells a working SGNN-EBM from one that only runs.

    Truth and settings were chosen together, so direction and order are asked and no more.
    """
    table = pd.read_parquet(demo / "demo" / "comparisons.parquet").query("metric == 'roc_auc'")
    ahead = table.set_index(["method", "baseline"])["mean_difference"]
    assert ahead["SGNN_EBM", "MTL_MLP"] > 0
    assert ahead["SGNN_EBM", "EBM_shuffled"] > 0
    assert ahead["EBM_shuffled", "MTL_MLP"] < ahead["SGNN_EBM", "MTL_MLP"]


def test_the_metrics_recompute_from_the_saved_predictions(demo: Path):
    metrics = pd.read_parquet(demo / "demo" / "metrics.parquet").query("metric == 'roc_auc'")
    predictions = pd.read_parquet(demo / "demo" / "predictions.parquet")
    keys = ["run_id", "fold", "task_id"]
    cells = dict(tuple(predictions.groupby(keys, observed=True)))
    some = metrics[metrics["value"].notna()].sample(50, random_state=0)
    for row in some.itertuples():
        cell = cells[row.run_id, row.fold, row.task_id]
        assert row.value == pytest.approx(roc_auc_score(cell["label"], cell["score"]), abs=1e-9)


def test_no_label_of_a_test_molecule_was_trained_on(demo: Path):
    predictions = pd.read_parquet(demo / "demo" / "predictions.parquet")
    plan = pd.read_parquet(demo / "demo" / "plan.parquet").set_index("run_id")
    assert set(predictions["fold"]) == {"valid", "test"}
    for run_id, cells in predictions.groupby("run_id", observed=True):
        run = plan.loc[run_id]
        folds = demo / "demo" / "data" / run["dataset"] / "splits"
        split = pd.read_parquet(folds / f"{run['split']}-{run['seed']}.parquet")
        fold_of = split.set_index("item_id")["fold"]
        assert (fold_of.loc[cells["item_id"]].to_numpy() == cells["fold"].to_numpy()).all()


def test_every_promised_file_is_there(demo: Path):
    study = demo / "demo"
    for name in ["main", "per_task", "statistics", "splits", "significance"]:
        for suffix in ["parquet", "csv", "md", "tex"]:
            assert (study / "tables" / f"{name}.{suffix}").stat().st_size > 0
    figures = {path.stem for path in (study / "figures").glob("*.png")}
    assert {"overview", "per_task-planted", "learning_curves-planted", "label_density-planted"} <= figures
    manifest = json.loads((demo / "demo" / "manifest.json").read_text())
    for name in ["predictions.parquet", "tables/main.md", "figures/overview.png"]:
        assert manifest["outputs"][f"results/demo/{name}"] == sha256_of(study / name)


def test_a_second_run_has_nothing_to_do(demo: Path):
    done = run_snakemake(demo.parent)
    assert "Nothing to be done" in done.stdout + done.stderr


def test_the_report_opens_in_a_browser(demo: Path):
    from tests.workflow.browser import check_report

    check_report(demo / "report.html")
