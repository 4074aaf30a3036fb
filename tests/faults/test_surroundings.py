"""What goes wrong around a study ends in one sentence or in recovery, never in other numbers.

Not part of `make test`, as it takes minutes; `make test-faults` runs it.
"""

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.helpers.package_copy import extended
from tests.helpers.paths import ROOT
from tests.helpers.workflow import run_snakemake, snakemake_command, write_study

COMPARED = ("predictions", "metrics", "summary", "comparisons")


@pytest.fixture
def finished(tmp_path: Path, tiny_results: Path) -> Path:
    """A folder with a finished study that a test may damage."""
    return Path(shutil.copytree(tiny_results, tmp_path / "study", copy_function=shutil.copy2))


def settings(folder: Path) -> list[str]:
    return ["--config", f"study={folder / 'tiny.yaml'}"]


def untrain(folder: Path) -> None:
    """Take the study back to where nothing is trained."""
    study = folder / "results" / "tiny"
    shutil.rmtree(study / "runs")
    for path in [*study.glob("*.parquet"), *study.glob("shards/*.done.json")]:
        path.unlink()


def same_numbers(folder: Path, expected: Path, names: tuple[str, ...] = ("predictions",)) -> bool:
    places = [Path("results", "tiny", f"{name}.parquet") for name in names]
    return all((folder / place).read_bytes() == (expected / place).read_bytes() for place in places)


def flip(path: Path) -> None:
    """Flip a bit in the middle of a file, and leave its time."""
    before, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("place", ["labels.parquet", "features/ecfp4.npy", "splits/scaffold-0.parquet"])
def test_damaged_data_are_made_again(finished: Path, tiny_results: Path, place: str) -> None:
    """Their dates say nothing: the content is not what their step wrote."""
    untrain(finished)
    flip(finished / "results" / "tiny" / "data" / "tiny_planted" / place)
    run_snakemake(finished, "train_all", *settings(finished))
    assert same_numbers(finished, tiny_results)


def test_a_damaged_run_is_trained_again(finished: Path, tiny_results: Path) -> None:
    study = finished / "results" / "tiny"
    runs = sorted((study / "runs").iterdir())
    before = {run.name: (run / "run.json").stat().st_ino for run in runs}
    flip(runs[2] / "predictions.parquet")
    (study / "predictions.parquet").unlink()
    failed = run_snakemake(finished, "train_all", *settings(finished), check=False)
    assert failed.returncode == 1
    assert f"1 of 8 planned runs are missing or damaged: {runs[2].name}" in failed.stderr
    run_snakemake(finished, "train_all", *settings(finished))
    assert same_numbers(finished, tiny_results)
    after = {run.name: (run / "run.json").stat().st_ino for run in runs}
    assert [name for name in before if after[name] != before[name]] == [runs[2].name]


def test_damaged_results_are_made_again(finished: Path, tiny_results: Path) -> None:
    study = finished / "results" / "tiny"
    runs = {path: path.stat().st_ino for path in study.glob("runs/*/run.json")}
    flip(study / "metrics.parquet")
    (study / "summary.parquet").unlink()
    run_snakemake(finished, *settings(finished))
    assert same_numbers(finished, tiny_results, COMPARED)
    assert {path: path.stat().st_ino for path in study.glob("runs/*/run.json")} == runs


def test_a_full_disk_is_told_and_a_later_run_goes_on(finished: Path, tiny_results: Path) -> None:
    """A limit on the size of files stands for the end of the disk: writing fails in the same place."""
    untrain(finished)
    limit = 24_000  # bytes; more than the largest file of rules, which Snakemake copies when it starts
    process = subprocess.run(
        snakemake_command(finished, "train_all", *settings(finished)),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)),
        check=False,
    )
    assert process.returncode == 1
    assert "error: " in process.stderr
    assert "File too large" in process.stderr
    assert "Traceback" not in process.stderr
    study = finished / "results" / "tiny"
    assert not list((study / "runs").glob("*/predictions.parquet"))
    run_snakemake(finished, "train_all", *settings(finished))
    assert same_numbers(finished, tiny_results)
    assert not list(study.glob("runs/.*"))


def test_results_that_cannot_be_written_are_told(tmp_path: Path, tiny_study: dict) -> None:
    (tmp_path / "results").write_text("a file where the folder should be")
    study = write_study(tmp_path, tiny_study)
    failed = run_snakemake(tmp_path, "--config", f"study={study}", check=False)
    assert failed.returncode == 1
    assert f"{tmp_path / 'results'} is no folder that you may write to" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user who may not write")
def test_a_step_says_which_file_it_may_not_write(finished: Path) -> None:
    """The step is imported before it becomes a user who may read and not write."""
    code = (
        "import os; from relatask.__main__ import main; from relatask.steps import evaluate_runs; "
        "import ssl, pyarrow.parquet, relatask.evaluation.metrics_table; os.setgid(65534); os.setuid(65534); "
        "raise SystemExit(main(['evaluate_runs', '--plan', 'plan.parquet', '--predictions',"
        " 'predictions.parquet', '--tasks', 'data/tiny_planted/tasks.parquet',"
        " '--metrics-list', 'roc_auc', '--out', 'metrics.parquet']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=finished / "results" / "tiny",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "error: " in done.stderr
    assert "metrics.parquet" in done.stderr
    assert "Permission denied" in done.stderr


def test_a_user_without_home_folder_and_name_runs_a_study_and_gets_its_report(tmp_path: Path) -> None:
    """As in a container with a bare user id; it may read everything, and write only where it works."""
    setpriv, make = shutil.which("setpriv"), shutil.which("make")
    if os.getuid() != 0 or setpriv is None or make is None:
        pytest.skip("root, setpriv and make are needed to become another user and run all as make does")
    project = extended(tmp_path, {})
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, project)
    (project / ".venv").mkdir()
    (project / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (project / ".venv" / ".ready").touch()
    rows = [f"{'C' * length}O,{length % 2}" for length in range(2, 40)]
    (project / "alcohols.csv").write_text("\n".join(["smiles,odd", *rows]))
    study = {
        "title": "Alcohols",
        "sources": {"alcohols": {"reader": "table", "path": str(project / "alcohols.csv")}},
        "datasets": {"alcohols": {"source": "alcohols"}},
        "splits": {"schemes": ["random"]},
        "methods": [{"label": "RF", "method": "random_forest", "options": {"n_estimators": 2}}],
        "baseline": "RF",
        "scales": {"quick": {"seeds": [0]}},
    }
    arguments = f"--config study={write_study(project, study, 'odd')}"
    for path in [project, *project.rglob("*")]:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    reading = "-all,+dac_read_search"
    command = [setpriv, "--reuid", "12345", "--regid", "12345", "--clear-groups", "--inh-caps", reading]
    command += ["--ambient-caps", reading, "--bounding-set", reading]
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME"):
        environment.pop(name, None)

    def run_as_nobody(*words: str) -> str:
        done = subprocess.run(
            [*command, *words], cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout

    shown = run_as_nobody(make, "run", "CORES=1", f"ARGS={arguments}")
    assert "Done. The report, results/odd/report.html" in shown
    assert "left: nothing to train" in run_as_nobody(sys.executable, "-m", "relatask", "status", "odd")
    assert str(tmp_path) not in (project / "results" / "odd" / "report.html").read_text()
    assert not (project / "results" / ".report.html").exists()
    assert {path.stat().st_uid for path in (project / "results").rglob("*")} == {12345}


def test_a_second_workflow_in_the_folder_is_refused_and_the_first_one_goes_on(
    finished: Path, tiny_results: Path
) -> None:
    untrain(finished)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    first = subprocess.Popen(
        snakemake_command(finished, "train_all", *settings(finished)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    locks = finished / "results" / ".made" / ".locks"
    while first.poll() is None and not any(locks.glob("*.json")):
        time.sleep(0.05)
    second = run_snakemake(finished, "train_all", *settings(finished), check=False)
    assert second.returncode == 1
    assert f"is in use by process {first.pid} on" in second.stderr
    assert first.wait(300) == 0
    assert same_numbers(finished, tiny_results)


def test_results_from_before_a_clock_was_set_back_do_not_pass_for_new(
    finished: Path, tiny_results: Path
) -> None:
    """Everything is dated tomorrow; data of the same name change; the run stops half-way and goes on."""
    study = yaml.safe_load((finished / "tiny.yaml").read_text())
    study["sources"]["planted"]["max_weight"] = 400.0
    tomorrow = time.time() + 86400
    for path in (finished / "results").rglob("*"):
        os.utime(path, (tomorrow, tomorrow))
    (finished / "tiny.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    target = "results/tiny/comparisons.parquet"
    half = run_snakemake(finished, "train_all", *settings(finished))
    assert "dated in the future" in half.stderr
    run_snakemake(finished, target, *settings(finished))
    assert not same_numbers(finished, tiny_results)
    elsewhere = finished.parent / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(finished / "tiny.yaml", elsewhere)
    run_snakemake(elsewhere, target, *settings(elsewhere))
    assert same_numbers(finished, elsewhere, COMPARED)
