"""The command that trains a shard: killed, doubled or failing, it ends with the bytes of one left alone."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from relatask.core.files import read_json, write_text
from relatask.core.tables import read_table
from relatask.journal import heartbeat as heartbeats
from relatask.journal.heartbeat import read_heartbeats
from relatask.plan.manifest import shard_manifest
from relatask.plan.spec import RunSpec
from tests.helpers.paths import ROOT
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

FOREST = {**make_spec("random_forest", None).method.options, "n_estimators": 40}
SPECS = [
    make_spec("shared_bottom", "gin", training={"epochs": 40}),
    make_spec("single_task", "fingerprint_mlp", training={"epochs": 40}),
    make_spec("random_forest", None, options=FOREST),
]
KILLED_IN = [0, 0, 0, 1, 1, 2, 2]  # positions in SPECS


def prepare(results: Path, specs: Sequence[RunSpec] = SPECS) -> Path:
    """Write the data set and the manifest, and return the folder of results."""
    write_dataset(results / "study" / "data" / "small", random_labels(80, 6))
    write_text(results / "study" / "shards" / "00000.json", shard_manifest(specs, "study"))
    return results


def start(results: Path) -> subprocess.Popen[str]:
    arguments = ["train_shard", "--manifest", "study/shards/00000.json", "--keep-models", "all"]
    environment = {
        "RELATASK_CHECKPOINT_SECONDS": "0",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT / "src"),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "relatask", *arguments, "--device", "cpu", "--out", "done.json"],
        cwd=results,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for the process and return its messages."""
    messages = process.communicate()[1]
    assert process.returncode == code, messages
    return messages


def content(results: Path) -> dict[str, object]:
    """All that the shard left behind, except for measured times, memory and locks."""
    found: dict[str, object] = {"done": (results / "done.json").read_bytes()}
    for path in sorted((results / "study" / "runs").rglob("*")):
        name = str(path.relative_to(results))
        if path.name == "run.json":
            found[name] = {key: value for key, value in read_json(path).items() if key in {"spec", "digests"}}
        elif path.name == "history.parquet":
            history = read_table("history", path)
            found[name] = history.drop(columns=["seconds", "examples_per_second"]).to_json()
        elif path.is_file():
            found[name] = path.read_bytes()
    assert not list((results / "study" / "checkpoints").glob("*"))
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    results = prepare(tmp_path_factory.mktemp("undisturbed"))
    assert "3 of 3 runs trained" in finish(start(results))
    found = content(results)
    of_network = {"run.json", "predictions.parquet", "history.parquet"}
    of_network |= {f"model/{name}" for name in ("model.json", "weights.safetensors", "items.parquet")}
    run = f"study/runs/{SPECS[0].run_id}/"
    assert {name.removeprefix(run) for name in found if name.startswith(run)} == of_network
    forests = f"study/runs/{SPECS[2].run_id}/model/estimators/"
    assert any(name.startswith(forests) for name in found)
    return found


def state_of(results: Path, spec: RunSpec) -> tuple[float, bool]:
    """When the run was last saved, and whether it is in the journal."""
    study = results / "study"
    saved = study / "checkpoints" / f"{spec.run_id}.pt"
    try:
        moment = saved.stat().st_mtime_ns
    except FileNotFoundError:
        moment = 0
    return moment, (study / "runs" / spec.run_id).exists()


def entries(results: Path) -> dict[str, bytes]:
    """The record of each finished run, with the moment when it was finished."""
    return {
        path.parent.name: path.read_bytes() for path in (results / "study" / "runs").glob("[!.]*/run.json")
    }


def test_killed_at_random_moments_it_ends_with_the_same_bytes(tmp_path, undisturbed):
    results = prepare(tmp_path)
    moments = random.Random(0)
    kills = resumable = 0
    known: dict[str, bytes] = {}
    for number in KILLED_IN:
        process, before = start(results), state_of(results, SPECS[number])
        while process.poll() is None and state_of(results, SPECS[number]) == before:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        resumable += any((results / "study" / "checkpoints").glob("[!.]*"))
        assert entries(results).items() >= known.items(), "a finished run was trained again"
        known = entries(results)
    assert kills >= 6
    assert resumable >= 3, "too few kills left an unfinished run: the test shows nothing"
    assert known, "no kill came after a finished run: the test shows nothing"
    messages = finish(start(results))
    assert f"{len(known)} were in the journal" in messages
    assert entries(results).items() >= known.items()
    assert content(results) == undisturbed


def test_interrupted_by_ctrl_c_it_says_so_without_a_traceback_and_goes_on_later(tmp_path, undisturbed):
    results = prepare(tmp_path)
    process, before = start(results), state_of(results, SPECS[1])
    while process.poll() is None and state_of(results, SPECS[1]) == before:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    messages = finish(process, code=130)
    assert messages.splitlines()[-1] == "interrupted"
    assert "Traceback" not in messages
    known = entries(results)
    assert set(known) == {SPECS[0].run_id}
    assert not list((results / "study" / "running").glob("*.json"))
    assert not list((results / "study").rglob("*.part-*"))
    finish(start(results))
    assert entries(results).items() >= known.items()
    assert content(results) == undisturbed


def test_two_processes_of_the_same_shard_end_well(tmp_path, undisturbed):
    results = prepare(tmp_path)
    for process in [start(results), start(results)]:
        finish(process)
    assert content(results) == undisturbed


@pytest.mark.parametrize("number", [0, 1])
def test_a_process_stopped_for_longer_than_its_heartbeat_counts_goes_on_beside_another_one(
    tmp_path, undisturbed, monkeypatch, number
):
    """As when a machine sleeps: the shard is taken for dead, trained elsewhere, and then it wakes up."""
    results, study = prepare(tmp_path), tmp_path / "study"
    sleeper, before = start(results), state_of(results, SPECS[number])
    while sleeper.poll() is None and state_of(results, SPECS[number]) == before:
        time.sleep(0.001)
    sleeper.send_signal(signal.SIGSTOP)
    assert not (study / "runs" / SPECS[number].run_id).exists(), "the run ended: the test shows nothing"
    (last,) = read_heartbeats(study)
    assert (last.run_id, last.running) == (SPECS[number].run_id, True)
    monkeypatch.setattr(heartbeats, "ALIVE", 1.0)
    time.sleep(1.1)
    assert not read_heartbeats(study)[0].running
    messages = finish(start(results))
    assert f"{3 - number} of 3 runs trained" in messages
    known = entries(results)
    assert set(known) == {spec.run_id for spec in SPECS}
    sleeper.send_signal(signal.SIGCONT)
    assert "error" not in finish(sleeper)
    assert entries(results) == known, "the entry of another process was replaced"
    assert content(results) == undisturbed
    assert read_heartbeats(study) == []


def test_a_failing_run_ends_the_step_with_its_name_and_is_tried_again(tmp_path):
    later, other = make_spec(seed=3), make_spec()  # the split of seed 3 does not exist yet
    results = prepare(tmp_path, [later, other])
    messages = finish(start(results), code=2)
    assert f"error: shard 00000: 1 of 2 runs failed: {later.run_id} (SHARED_BOTTOM seed 3): " in messages
    assert "scaffold-3.json does not exist" in messages
    assert not (results / "done.json").exists()
    assert set(entries(results)) == {other.run_id}
    failure = results / "study" / "failed" / f"{later.run_id}.json"
    assert "scaffold-3.json" in read_json(failure)["reason"]
    write_dataset(results / "study" / "data" / "small", random_labels(80, 6), seeds=(0, 3))
    assert "1 of 2 runs trained" in finish(start(results))
    assert set(read_json(results / "done.json")) == {later.run_id, other.run_id}
    assert not failure.exists()
