"""A table and a figure are one new file each."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.extending.additions import TABLE_AND_FIGURE, in_project
from tests.helpers.package_copy import extended, run_study
from tests.helpers.workflow import TINY, run_warm

STUDY = {
    **TINY,
    "methods": [
        {"label": "RF", "method": "random_forest", "options": {"n_estimators": 5}},
        TINY["methods"][1],
    ],
    "baseline": "RF",
    "training": {"epochs": 1},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with both files, in which the study ran."""
    root = extended(tmp_path_factory.mktemp("outputs"), in_project(TABLE_AND_FIGURE))
    run_study(root, STUDY)
    return root


def test_a_new_table_stands_beside_the_others(root: Path) -> None:
    folder = root / "results" / "mine"
    data = pd.read_parquet(folder / "tables" / "hardest_tasks.parquet")
    metrics = pd.read_parquet(folder / "metrics.parquet").query("metric == 'roc_auc' and fold == 'test'")
    plan = pd.read_parquet(folder / "plan.parquet").set_index("run_id")["label"]
    method = metrics["run_id"].astype(str).map(plan).rename("label")
    means = metrics.groupby([method, metrics["task_id"].astype(str)])["value"].mean().groupby("task_id").max()
    expected = means.dropna().nsmallest(5)
    assert data.set_index("task_id")["best"].to_dict() == pytest.approx(expected.to_dict())
    assert "the hardest tasks" in (folder / "tables" / "hardest_tasks.md").read_text()
    for suffix in ("html", "csv", "tex"):
        assert (folder / "tables" / f"hardest_tasks.{suffix}").stat().st_size > 0


def test_a_new_figure_stands_beside_the_others(root: Path) -> None:
    figures = root / "results" / "mine" / "figures"
    drawn = pd.read_parquet(figures / "seed_spread-tiny_planted.parquet").set_index("method")["spread"]
    cells = pd.read_parquet(root / "results" / "mine" / "metrics.parquet")
    cells = cells.query("metric == 'roc_auc' and fold == 'test'")
    plan = pd.read_parquet(root / "results" / "mine" / "plan.parquet").set_index("run_id")["label"]
    method = cells["run_id"].astype(str).map(plan).rename("method")
    of_seeds = cells.groupby([method, cells["task_id"].astype(str)])["value"]
    spread = of_seeds.std()[of_seeds.count() > 1]  # one seed has none
    assert drawn.to_dict() == pytest.approx(spread.groupby("method").mean().to_dict())
    with Image.open(figures / "seed_spread-tiny_planted.png") as image:
        assert image.size[0] > image.size[1] > 100


def test_the_report_has_both_with_their_captions(root: Path) -> None:
    report = root / "report.html"
    run_warm(root, "--report", str(report), "--config", f"study={root / 'mine.yaml'}", root=root)
    text = report.read_text(encoding="utf-8")
    assert "whose best method is worst" in text
    assert "Spread of seeds" in text


def test_a_word_or_a_need_that_nobody_knows_is_one_sentence(root: Path) -> None:
    table = root / "src" / "relatask" / "publishing" / "tables" / "hardest_tasks.py"
    text = table.read_text()
    for old, new, said in (
        ('"tasks",)', '"task",)', "`when` has no word 'task'. Did you mean 'tasks'?"),
        ('"metrics")', '"metric")', "'metric' is none of"),
        ('"when"', '"wehn"', "TABLE has no key ['wehn']"),
    ):
        table.write_text(text.replace(old, new, 1))
        done = run_warm(root, "--dry-run", "--config", f"study={root / 'mine.yaml'}", root=root, check=False)
        assert done.returncode != 0
        assert said in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
    table.write_text(text)
