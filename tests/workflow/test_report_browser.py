"""The report opens offline in a real browser, says what its results are, and runs nothing from the data.

`RELATASK_REPORT=results/report.html` checks that report instead of a small one made here.
"""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from relatask.publishing.page import table_page
from tests.helpers.report_study import HOSTILE, NAMES, SNAKEFILE, TABLES, write_report_study
from tests.workflow.browser import Opened, check_report, find_browser


@pytest.fixture(scope="module")
def report(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every kind of figure and caption, of a study whose tasks have hostile names."""
    find_browser()
    folder = tmp_path_factory.mktemp("report")
    write_report_study(folder)
    (folder / "page.html").write_text(table_page("Tasks", pd.DataFrame({"task": NAMES, "AUC": 0.8})))
    (folder / "Snakefile").write_text(SNAKEFILE.format(root=root, python=sys.executable, tables=TABLES))
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1"}
    for more in ([], ["--report", "report.html"]):
        done = subprocess.run(
            [*command, *more], cwd=folder, capture_output=True, text=True, env=environment, timeout=300
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return folder / "report.html"


@pytest.fixture(scope="module")
def opened(report: Path) -> Opened:
    return check_report(report, screenshot=report.with_name("screen.png"))


def test_every_category_is_listed_with_its_results(opened: Opened):
    assert {category: len(paths) for category, paths in opened.categories.items()} == {
        "Comparison": 2,
        "Data": 2,
        "Tables": 5,
        "Training": 1,
    }


def test_every_figure_and_table_shows(opened: Opened):
    assert sorted(opened.shown) == sorted(path for paths in opened.categories.values() for path in paths)


def test_captions_name_the_baseline_and_the_metric(opened: Opened):
    caption = opened.captions["study/figures/overview.svg"]
    assert "STL" in caption
    assert "roc_auc" in caption
    assert "{{" not in "".join(opened.captions.values())


def test_hostile_names_of_tasks_are_text_in_pages_and_figures(opened: Opened, report: Path):
    for name in HOSTILE[:3]:
        assert name in opened.pages["tables/main.html"]
    drawing = (report.parent / "study" / "figures" / "per_task-toy.svg").read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in drawing
    assert "<script" not in drawing
    assert "<img" not in drawing
    assert not (report.parent / "pwned").exists()


def test_a_script_that_got_into_a_report_is_found(report: Path):
    """The check itself can fail: a report with a request, an error and a dialog is refused."""
    head, end, tail = report.read_text(encoding="utf-8").rpartition("</body>")
    for script, message in (
        ("fetch('http://example.org/x')", "asks for"),
        ("setTimeout(() => { throw new Error('broken') }, 0)", "fails in the console"),
        ("setTimeout(() => alert('it ran'), 700)", "it ran"),
    ):
        bad = report.with_name("bad.html")
        bad.write_text(f"{head}<script>{script}</script>{end}{tail}", encoding="utf-8")
        with pytest.raises(Exception, match=message):
            check_report(bad)


@pytest.mark.skipif("RELATASK_REPORT" not in os.environ, reason="RELATASK_REPORT names no report to check")
def test_the_given_report_opens():
    assert check_report(Path(os.environ["RELATASK_REPORT"])).shown
