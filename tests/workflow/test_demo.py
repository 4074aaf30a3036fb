"""The default study from start to end, as `make run` runs it, and what it must show."""

import json
import time
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from tests.workflow.conftest import run_snakemake


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Folder `results/` of the demo and the seconds it took."""
    folder = tmp_path_factory.mktemp("demo")
    start = time.monotonic()
    run_snakemake(folder)
    seconds = time.monotonic() - start
    run_snakemake(folder, "--report", "results/report.html")
    return folder / "results", seconds


def _test_auc(results: Path) -> pd.Series:
    summary = pd.read_parquet(results / "demo" / "summary.parquet")
    return summary.query("fold == 'test' and metric == 'roc_auc'").set_index("method")["mean"]


def test_the_demo_takes_minutes(demo: tuple[Path, float]):
    assert demo[1] < 300


def test_every_method_learns_and_none_too_well(demo: tuple[Path, float]):
    auc = _test_auc(demo[0])
    assert {"STL_MLP", "MTL_MLP", "MTL_GIN", "RF", "GB"} <= set(auc.index)
    assert auc.between(0.6, 0.95).all(), auc


def test_the_metrics_recompute_from_the_saved_predictions(demo: tuple[Path, float]):
    metrics = pd.read_parquet(demo[0] / "demo" / "metrics.parquet").query("metric == 'roc_auc'")
    predictions = pd.read_parquet(demo[0] / "demo" / "predictions.parquet")
    keys = ["run_id", "fold", "task_id"]
    cells = dict(tuple(predictions.groupby(keys, observed=True)))
    some = metrics[metrics["value"].notna()].sample(50, random_state=0)
    for row in some.itertuples():
        cell = cells[row.run_id, row.fold, row.task_id]
        assert row.value == pytest.approx(roc_auc_score(cell["label"], cell["score"]), abs=1e-9)


def test_no_label_of_a_test_molecule_was_trained_on(demo: tuple[Path, float]):
    predictions = pd.read_parquet(demo[0] / "demo" / "predictions.parquet")
    plan = pd.read_parquet(demo[0] / "demo" / "plan.parquet").set_index("run_id")
    assert set(predictions["fold"]) == {"valid", "test"}
    for run_id, cells in predictions.groupby("run_id", observed=True):
        run = plan.loc[run_id]
        split = pd.read_parquet(demo[0] / run["dataset"] / "splits" / f"{run['split']}-{run['seed']}.parquet")
        fold_of = split.set_index("mol_id")["fold"]
        assert (fold_of.loc[cells["item_id"]].to_numpy() == cells["fold"].to_numpy()).all()


def test_every_promised_file_is_there(demo: tuple[Path, float]):
    study = demo[0] / "demo"
    for name in ["main", "per_task", "statistics", "splits", "significance"]:
        for suffix in ["parquet", "csv", "md", "tex"]:
            assert (study / "tables" / f"{name}.{suffix}").stat().st_size > 0
    figures = {path.stem for path in (study / "figures").glob("*.png")}
    assert {"overview", "per_task-planted", "learning_curves-planted", "label_density-planted"} <= figures
    manifest = json.loads((demo[0] / "manifest.json").read_text())
    assert manifest


def test_a_second_run_has_nothing_to_do(demo: tuple[Path, float]):
    done = run_snakemake(demo[0].parent)
    assert "Nothing to be done" in done.stdout + done.stderr


def test_the_report_opens_in_a_browser(demo: tuple[Path, float]):
    from tests.workflow.browser import check_report

    check_report(demo[0] / "report.html")
