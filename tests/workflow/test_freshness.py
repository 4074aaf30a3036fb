"""Nothing stale passes for current: what dates, lost folders and second workflows would hide is seen."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.helpers.class_layouts import drawing, write_miniimagenet
from tests.helpers.package_copy import extended
from tests.helpers.paths import ROOT
from tests.helpers.staleness import Place, outcome, table
from tests.helpers.warm_python import warm_python
from tests.helpers.workflow import snakemake_command

Start = tuple[Path, Path]  # the project, and the Python that runs it


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    with warm_python(tmp_path_factory.mktemp("warm")) as python:
        yield extended(tmp_path_factory.mktemp("copy"), {}), python


@pytest.fixture(scope="module")
def finished_once(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = Place(tmp_path_factory.mktemp("finished") / "work")
    place.write()
    assert run(start, place).returncode == 0
    return place.path


@pytest.fixture
def finished(finished_once: Path, tmp_path: Path) -> Place:
    """A folder with a finished study that a test may change."""
    return Place(Path(shutil.copytree(finished_once, tmp_path / "work")))


def command(start: Start, place: Place, *arguments: str, study: str = "my.yaml") -> list[str]:
    root, python = start
    settings = [*arguments, "--config", f"study={study}"]
    return snakemake_command(place.path, *settings, root=root, python=python)


def environment(start: Start) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(start[0] / "src")}


def run(
    start: Start, place: Place, *arguments: str, study: str = "my.yaml"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(start, place, *arguments, study=study),
        cwd=place.path, env=environment(start), capture_output=True, text=True, check=False,
    )  # fmt: skip


def shows(place: Place, expected: Path) -> bool:
    return outcome(place.results) == outcome(expected)


def nothing_to_do(start: Start, place: Place) -> bool:
    done = run(start, place)
    return done.returncode == 0 and "Nothing to be done" in done.stdout + done.stderr


def test_a_run_of_other_entries_in_each_others_place_is_trained_again(
    start: Start, finished: Place, finished_once: Path
) -> None:
    first, second = sorted((finished.results / "my" / "runs").glob("[!.]*"))
    spare = first.rename(first.with_name("spare"))
    second.rename(first)
    spare.rename(second)
    done = run(start, finished)
    assert done.returncode == 0, done.stderr
    assert shows(finished, finished_once / "results")


def test_a_second_folder_with_the_same_results_waits_and_then_shows_its_own_numbers(
    start: Start, finished: Place, tmp_path: Path
) -> None:
    other = Place(tmp_path / "other", data=1)
    other.write()
    other.results.symlink_to(finished.results)
    finished.config = {**finished.config, "trees": 4}
    finished.write_study()
    first = subprocess.Popen(
        command(start, finished), cwd=finished.path, env=environment(start),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while first.poll() is None and not list((finished.results / ".made" / ".locks").glob("*.json")):
        time.sleep(0.02)
    refused = run(start, other)
    assert refused.returncode == 1
    assert f"{other.results} is in use by process" in refused.stdout + refused.stderr
    assert first.wait() == 0
    clean = Place(tmp_path / "clean", other.config, other.data)
    clean.write()
    for place in (other, clean):
        done = run(start, place)
        assert done.returncode == 0, done.stderr
    assert shows(other, clean.results)


def test_code_that_changes_while_a_step_runs_is_not_on_record_as_what_made_its_outputs(
    start: Start, finished: Place
) -> None:
    """As when another branch is checked out, and this one again before the workflow ends."""
    code = start[0] / "src" / "relatask" / "publishing" / "tables" / "main.py"
    text = code.read_text()
    record = finished.results / ".made" / "my" / "tables" / "main.html.json"
    process = subprocess.Popen(
        command(start, finished, "--forcerun", "write_tables"), cwd=finished.path, env=environment(start),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while record.exists():  # until the step starts, which takes a second
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(0.2)
    code.write_text(text + "\nEDITED = 1\n")
    code.write_text(text)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert "the code of the package changed while the workflow ran; rule write_tables runs again" in said
    again = run(start, finished, "--dry-run")
    assert "write_tables" in again.stdout + again.stderr


def test_a_killed_start_leaves_no_other_study_behind(start: Start, finished: Place) -> None:
    """It had written study.json, which `relatask status` and `relatask predict` read, and nothing else."""
    path = finished.results / "my" / "study.json"
    text = path.read_text()
    path.write_text(text.replace("One", "Two"))
    assert nothing_to_do(start, finished)
    assert path.read_text() == text


def test_another_study_that_names_its_data_alike_leaves_those_of_the_first(
    start: Start, finished: Place, finished_once: Path
) -> None:
    """Both are made from one template: source `mine`, data set `assays`, and different files."""
    text = (finished.path / "my.yaml").read_text()
    assert "path: data.csv" in text
    (finished.path / "your.yaml").write_text(text.replace("path: data.csv", "path: other.csv"))
    (finished.path / "other.csv").write_text(table(2))
    assert run(start, finished, study="your.yaml").returncode == 0
    assert shows(finished, finished_once / "results")
    labels = [finished.results / name / "data" / "assays" / "labels.parquet" for name in ("my", "your")]
    assert labels[0].read_bytes() != labels[1].read_bytes()
    done = run(start, finished, "--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_a_table_that_another_one_replaced_for_a_while_is_not_on_record(
    start: Start, finished: Place
) -> None:
    """The step may have read either; which one, nobody knows."""
    own, other = finished.path / "data.csv", finished.path / "other.csv"
    record = finished.results / ".made" / "my" / "sources" / "mine" / "items.parquet.json"
    other.write_text(table(2))
    process = subprocess.Popen(
        command(start, finished, "--forcerun", "prepare_items"), cwd=finished.path, env=environment(start),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while record.exists():
        assert process.poll() is None
        time.sleep(0.005)
    own.rename(own.with_name("spare.csv"))
    shutil.copy2(other, own)
    time.sleep(0.3)
    own.with_name("spare.csv").replace(own)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert "data.csv changed while the workflow ran; rule prepare_items runs again" in said
    assert not record.exists()


def test_another_image_makes_the_inputs_again(start: Start, tmp_path: Path) -> None:
    """The table of items names its file and has the same bytes."""
    place = Place(tmp_path / "work")
    place.path.mkdir()
    write_miniimagenet(place.path / "drawings")
    study = {
        "title": "Characters",
        "sources": {"mine": {"reader": "miniimagenet", "path": "drawings", "image_size": 16}},
        "datasets": {
            "characters": {
                "source": "mine",
                "episodes": {"ways": 2, "shots": 1, "queries": 1, "evaluated": 3},
            }
        },
        "splits": {"schemes": ["given"]},
        "methods": [{"label": "P", "method": "prototypes", "encoder": "resnet"}],
        "baseline": "P",
        "metrics": ["accuracy"],
        "scales": {"quick": {"seeds": [0]}},
    }
    (place.path / "my.yaml").write_text(yaml.safe_dump(study))
    target = "results/my/data/characters/features/features.json"
    assert run(start, place, target).returncode == 0
    features = place.results / "my" / "data" / "characters" / "features" / "images.npy"
    before = features.read_bytes()
    image = next((place.path / "drawings").rglob("*.jpg"))
    date = image.stat().st_mtime_ns
    drawing("another", 1).convert("RGB").save(image)
    os.utime(image, ns=(date, date))
    assert run(start, place, target).returncode == 0
    assert features.read_bytes() != before


def test_a_table_and_a_project_dated_in_the_future_are_as_good_as_any(start: Start, finished: Place) -> None:
    """As after an unpacked archive of another time zone: what they hold counts."""
    later = time.time() + 2 * 86400
    (finished.path / "data.csv").write_text(table(2))
    files = [
        finished.path / "data.csv",
        start[0] / "requirements.lock",
        start[0] / "config" / "published.csv",
    ]
    for path in files:
        os.utime(path, (later, later))
    done = run(start, finished)
    assert done.returncode == 0, done.stdout + done.stderr
    assert nothing_to_do(start, finished)


def test_a_job_of_a_cluster_compares_no_dates_either(start: Start, finished: Place) -> None:
    """The Snakemake that an executor such as SLURM's starts on a node, for one job."""
    later = time.time() + 2 * 86400
    os.utime(finished.path / "data.csv", (later, later))
    items = next(finished.results.glob("my/sources/*/items.parquet"))
    done = run(
        start, finished, "--mode", "remote", "--force", "--nolock", "--allowed-rules", "prepare_items",
        "--target-jobs", f"prepare_items:source={items.parent.name}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Finished jobid: 0 (Rule: prepare_items)" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "partial",
    [
        ["prepare_all"],
        ["--until", "densify_dataset", "split_items", "featurise_items"],
        ["train_all"],
        ["tables"],
    ],
)
def test_after_a_part_of_the_workflow_a_whole_run_makes_the_rest(
    start: Start, finished: Place, tmp_path: Path, partial: list[str]
) -> None:
    """Snakemake asks nothing of the jobs below one that runs; it must run them too."""
    finished.data = 1
    finished.write()
    assert run(start, finished, *partial).returncode == 0
    done = run(start, finished)
    assert done.returncode == 0, done.stderr
    clean = Place(tmp_path / "clean", finished.config, finished.data)
    clean.write()
    assert run(start, clean).returncode == 0
    assert shows(finished, clean.results)


def test_tables_that_the_study_has_no_longer_are_named(start: Start, finished: Place) -> None:
    left = finished.results / "my" / "tables" / "gone.md"
    left.write_text("numbers of before")
    done = run(start, finished, "--forcerun", "write_tables")
    assert "results/my/tables/gone.* is of an earlier run; remove it" in done.stdout + done.stderr
    assert left.exists()


def test_no_file_that_a_job_makes_is_ancient() -> None:
    """Snakemake would not run what reads it where the job that makes it runs."""
    rules = [path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")]
    marked = re.findall(r"ancient\((.*)\)", "\n".join(rules))
    assert len(marked) == 6
    assert not [text for text in marked if re.match(r"(at|of_dataset|of_source|raw|dataset_tables)\(", text)]


def test_touch_makes_nothing_current(start: Start, finished: Place) -> None:
    (finished.results / "my" / "summary.parquet").write_bytes(b"stale")
    run(start, finished, "--touch")
    again = run(start, finished, "--dry-run")
    assert "compare_methods" in again.stdout + again.stderr
