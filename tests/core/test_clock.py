"""Files that are dated in the future come to the present in their order; no other is touched."""

import os
import time
from pathlib import Path

import pytest

from relatask.core.clock import SKEW, settle_times


def dated(path: Path, seconds: float) -> Path:
    """A file that was written `seconds` from now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (time.time() + seconds,) * 2)
    return path


def test_the_future_becomes_the_present_in_order(tmp_path: Path) -> None:
    late, later = dated(tmp_path / "a" / "late", 3600), dated(tmp_path / "b" / "c" / "later", 86400)
    last = dated(tmp_path / "a" / "last", 86401)
    past, skewed = dated(tmp_path / "past", -5), dated(tmp_path / "skewed", SKEW / 2)
    before = [path.stat().st_mtime_ns for path in (past, skewed)]
    assert settle_times(tmp_path) == [late, later, last]
    dates = [path.stat().st_mtime for path in (past, late, later, last)]
    assert dates == sorted(dates)
    assert len(set(dates)) == 4
    assert dates[-1] <= time.time()
    assert [path.stat().st_mtime_ns for path in (past, skewed)] == before
    assert settle_times(tmp_path) == []


def test_what_snakemake_does_not_compare_is_left(tmp_path: Path) -> None:
    entry = dated(tmp_path / "study" / "runs" / "abc" / "run.json", 3600)
    assert settle_times(tmp_path) == []
    assert entry.stat().st_mtime > time.time() + 3000


@pytest.mark.parametrize(
    "place",
    [
        *(f"{name}/plan.parquet" for name in ("runs", "failed", "running", "checkpoints")),  # of a study
        "study/data/runs/labels.parquet",
        "study/data/runs/splits/random-0.parquet",
        "study/sources/runs/items.parquet",
        "raw/checkpoints/table.csv",
        "published/running/paper/main.csv",
        "study/tables/logs/table.md",
        "logs_of_mine/benchmarks/labels.parquet",
    ],
)
def test_a_data_set_source_or_study_with_the_name_of_a_folder_of_the_journal_is_settled(
    tmp_path: Path, place: str
) -> None:
    path = dated(tmp_path / place, 3600)
    assert settle_times(tmp_path) == [path]


@pytest.mark.parametrize(
    "place", ["logs/step/a.log", "benchmarks/step/a.tsv", "runs/runs/abc/run.json", "study/failed/a.json"]
)
def test_logs_and_the_journal_of_any_study_are_left(tmp_path: Path, place: str) -> None:
    dated(tmp_path / place, 3600)
    assert settle_times(tmp_path) == []


def test_a_folder_without_results_is_no_error(tmp_path: Path) -> None:
    assert settle_times(tmp_path / "results") == []
