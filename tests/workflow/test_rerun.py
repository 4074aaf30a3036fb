"""What is done is not done again, and an edit does again what depends on it and nothing else."""

import os
import shutil
import time
from pathlib import Path

import pytest
import yaml

from tests.helpers.package_copy import extended
from tests.helpers.workflow import jobs_of, run_warm, write_study


def test_a_second_run_has_nothing_to_do(tiny_results: Path) -> None:
    done = run_warm(tiny_results, "--config", f"study={tiny_results / 'tiny.yaml'}")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_models_are_kept_as_the_config_says_and_another_wish_trains_nothing_again(
    tiny_results: Path, tmp_path: Path
) -> None:
    models = list((tiny_results / "results" / "tiny" / "runs").glob("*/model/model.json"))
    runs = list((tiny_results / "results" / "tiny" / "runs").glob("*/run.json"))
    assert len(models) == len(runs) > 0
    settings = ["--config", f"study={tiny_results / 'tiny.yaml'}", "keep_models=none"]
    done = run_warm(tiny_results, "--dry-run", *settings)
    assert set(jobs_of(done.stdout + done.stderr)) == {"all", "write_manifest"}  # which holds the config
    folder = Path(shutil.copytree(tiny_results, tmp_path / "study", copy_function=shutil.copy2))
    study = folder / "results" / "tiny"
    shutil.rmtree(study / "runs")
    for marker in (study / "shards").glob("*.done.json"):
        marker.unlink()
    (study / "predictions.parquet").unlink()  # or Snakemake has no reason to ask for the shards
    run_warm(folder, "train_all", *settings)
    assert len(list((study / "runs").glob("*/run.json"))) == len(runs)
    assert not list((study / "runs").glob("*/model"))


def planned(folder: Path, study: dict) -> dict[str, int]:
    """The jobs that a changed study of the folder would run."""
    (folder / "changed").mkdir(exist_ok=True)
    path = write_study(folder / "changed", study)
    done = run_warm(folder, "--dry-run", "--config", f"study={path}")
    return jobs_of(done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"title": "Another"}, {"write_tables"}),
        ({"search_space": {"training.epochs": "4, 5"}}, {"write_tables"}),
        ({"unpublished": ["per_task"]}, set()),
        (
            {"contrasts": [["MTL_GIN", "MTL"]]},
            {"compare_methods", "resample_items", "write_tables", "draw_figures"},
        ),
    ],
)
def test_an_edit_of_the_study_does_again_what_reads_it(
    tiny_results: Path, change: dict, expected: set[str]
) -> None:
    study = yaml.safe_load((tiny_results / "tiny.yaml").read_text())
    assert set(planned(tiny_results, {**study, **change})) - {"write_manifest", "all"} == expected


def state(results: Path) -> dict[str, int]:
    """Every file and folder below `results` and its time."""
    return {str(path): path.lstat().st_mtime_ns for path in results.rglob("*")}


def test_looking_changes_nothing_and_running_puts_right(tiny_results: Path, tmp_path: Path) -> None:
    """A data set lacks a file and all is dated tomorrow: a dry-run says what would be done, no more."""
    folder = Path(shutil.copytree(tiny_results, tmp_path / "study", copy_function=shutil.copy2))
    settings = ["--config", f"study={folder / 'tiny.yaml'}"]
    (folder / "results" / "tiny" / "data" / "tiny_planted" / "labels.parquet").unlink()
    tomorrow = time.time() + 86400
    for path in (folder / "results").rglob("*"):
        os.utime(path, (tomorrow, tomorrow))
    before = state(folder / "results")
    for look in (["--dry-run"], ["--lint"], ["--summary"], ["--list-rules"]):
        done = run_warm(folder, *look, *settings, check=look != ["--lint"])
        assert state(folder / "results") == before, look
        if look == ["--dry-run"]:
            jobs = jobs_of(done.stdout + done.stderr)
    assert {"densify_dataset", "prepare_dataset"} <= set(jobs)
    done = run_warm(folder, "results/tiny/prepared/tiny_planted", *settings)
    assert "dated in the future" in done.stderr
    assert (folder / "results" / "tiny" / "data" / "tiny_planted" / "labels.parquet").exists()
    again = run_warm(folder, "results/tiny/prepared/tiny_planted", *settings)
    assert "Nothing to be done" in again.stdout + again.stderr


def test_an_array_of_an_input_that_is_gone_is_made_again(tiny_results: Path, tmp_path: Path) -> None:
    """Snakemake knows features.json alone; the arrays are named in it."""
    folder = Path(shutil.copytree(tiny_results, tmp_path / "study", copy_function=shutil.copy2))
    marker, settings = "results/tiny/prepared/tiny_planted", ["--config", f"study={folder / 'tiny.yaml'}"]
    array = folder / "results" / "tiny" / "data" / "tiny_planted" / "features" / "ecfp4.npy"
    content = array.read_bytes()
    array.unlink()
    before = state(folder / "results")
    done = run_warm(folder, marker, "--dry-run", *settings)
    assert {"featurise_items", "prepare_dataset"} <= set(jobs_of(done.stdout + done.stderr))
    assert state(folder / "results") == before
    run_warm(folder, marker, *settings)
    assert array.read_bytes() == content
    again = run_warm(folder, marker, *settings)
    assert "Nothing to be done" in again.stdout + again.stderr


def test_an_edit_of_code_that_trains_side_by_side_trains_again(tmp_path: Path, tiny_study: dict) -> None:
    """The journal calls such runs outdated, so Snakemake must not say that there is nothing to be done."""
    root = extended(tmp_path, {})
    study = {**tiny_study, "methods": tiny_study["methods"][2:], "baseline": "MTL_GIN"}
    scales = tiny_study["scales"]["quick"] | {"seeds": [0]}
    arguments = ["--config", f"study={write_study(root, {**study, 'scales': {'quick': scales}})}"]
    run_warm(root, "train_all", *arguments, root=root)
    stacked = root / "src" / "relatask" / "encoders" / "_stacked_gin.py"
    stacked.write_text(stacked.read_text() + "\nEDITED = True\n")
    done = run_warm(root, "train_all", "--dry-run", *arguments, root=root)
    assert "train_shard" in jobs_of(done.stdout + done.stderr)
