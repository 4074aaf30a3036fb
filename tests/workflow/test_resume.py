"""A study killed anywhere ends with the same bytes as one left alone."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, run_snakemake, snakemake_command, write_study

COMPARED = [
    "predictions.parquet",
    "metrics.parquet",
    "summary.parquet",
    "comparisons.parquet",
    "tables/main.csv",
]


def _kill_group(process: subprocess.Popen) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_killed_study_ends_with_the_same_bytes(
    tmp_path: Path, tiny_results: Path, tiny_study: dict, seed: int
):
    study = write_study(tmp_path, tiny_study)
    rng = random.Random(seed)
    kills = 0
    for _ in range(3):
        process = subprocess.Popen(
            snakemake_command(tmp_path, "--config", f"study={study}"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
        time.sleep(rng.uniform(4, 20))
        if process.poll() is None:
            _kill_group(process)
            kills += 1
        run_snakemake(tmp_path, "--unlock", "--config", f"study={study}")
    assert kills > 0, "the study ended before it could be killed; the test shows nothing"
    run_snakemake(tmp_path, "--rerun-incomplete", "--config", f"study={study}")
    for name in COMPARED:
        expected = (tiny_results / "results" / "tiny" / name).read_bytes()
        assert (tmp_path / "results" / "tiny" / name).read_bytes() == expected, name


def test_a_second_run_has_nothing_to_do(tiny_results: Path):
    done = run_snakemake(tiny_results, "--config", f"study={tiny_results / 'tiny.yaml'}")
    assert "Nothing to be done" in done.stdout + done.stderr
