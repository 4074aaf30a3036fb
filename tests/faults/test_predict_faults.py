"""Predicting that is killed, starved or kept from writing ends with the bytes of one left alone.

The kills are not part of `make test`, as they take minutes; `make test-faults` runs them.
"""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import pandas as pd
import psutil
import pytest

from relatask.__main__ import main
from relatask.predicting import rows, workers
from tests.faults.kills import run_with_kills
from tests.helpers.paths import ROOT
from tests.helpers.prepared_dataset import make_spec
from tests.helpers.workflow import run_snakemake
from tests.models.molecule_data import train, write_molecules

SPEC = make_spec()
SMILES = ["CCO", "c1ccccc1O", "not one", "CC(=O)Nc1ccc(O)cc1", "", "CCCCCl", "C1CCCCC1"]
KILLS = int(os.environ.get("RELATASK_KILLS", "5"))  # of the command, and of each step of the workflow
STEPS = ("scatter_rows", "predict_part", "join_predictions")
WAYS = ("all", "parent", "child")  # who is killed: as by a lost machine, kill -9, and the system for memory
kills = pytest.mark.skipif(KILLS == 0, reason="RELATASK_KILLS=0 leaves the kills out, which take minutes")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a network of three tasks."""
    results = tmp_path_factory.mktemp("faults") / "results"
    write_molecules(results / "small")
    return train(results, [SPEC]) / "runs" / SPEC.run_id / "model"


def written(path: Path, n_rows: int, note: str = "") -> Path:
    """A file of so many rows with a note each, of which some hold no molecule."""
    texts = [*islice(cycle(SMILES), n_rows)]
    pd.DataFrame({"id": [f"x{n}" for n in range(n_rows)], "smiles": texts, "note": note}).to_csv(
        path, index=False
    )
    return path


class Command:
    """`relatask predict` in processes of its own, two of which predict."""

    def __init__(self, model: Path, file: Path, out: Path):
        self.process = psutil.Popen(
            [*(sys.executable, "-m", "relatask", "predict", model, file, "-o", out, "-n", "2")],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def kill(self, whom: str) -> bool:
        """Kill some of it, wait until all of it is gone, and return whether it was still at work.

        The last child is a process that predicts, or before these are there one that Python starts itself.
        """
        at_work = self.process.poll() is None
        family = [self.process, *self.process.children(recursive=True)] if at_work else []
        victims = {"all": family, "parent": family[:1], "child": family[-1:]}[whom]
        for victim in victims:
            victim.send_signal(signal.SIGKILL)
        _, left = psutil.wait_procs(family, timeout=600)
        assert not left, "a process outlived the command"
        assert b"Traceback" not in self.process.stderr.read()
        return at_work


@kills
def test_predict_killed_at_any_moment_writes_the_same_bytes_in_the_end(model: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "new.csv", 2048 * 12 + 5)
    whole, out = tmp_path / "whole.csv.gz", tmp_path / "out.csv.gz"
    start = time.monotonic()
    assert Command(model, file, whole).process.wait() == 0
    seconds, rng, hits, gone_on = time.monotonic() - start, random.Random(0), 0, 0
    for number in range(KILLS):
        command = Command(model, file, out)
        time.sleep(rng.uniform(number, number + 1) / KILLS * seconds)
        hits += command.kill(WAYS[number % len(WAYS)])
        gone_on += any(tmp_path.glob("out.csv.gz.parts/*-empty.csv"))
        if out.exists():
            assert out.read_bytes() == whole.read_bytes()
    assert hits >= min(KILLS, 2)
    assert gone_on
    assert Command(model, file, out).process.wait() == 0
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv", "out.csv.gz", "whole.csv.gz"]


@kills
def test_the_workflow_killed_in_each_of_its_steps_writes_the_same_bytes(model: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "new.csv", 2048 * 4 + 5)
    whole, out = tmp_path / "whole.csv", tmp_path / "results" / "predictions" / "new.csv"
    assert main(["predict", str(model), str(file), "-o", str(whole), "-n", "1"]) == 0
    settings = ["predict", "--config", f"model={model}", f"input={file}", "parts=3", "--cores", "1"]
    found = run_with_kills(tmp_path, settings, dict.fromkeys(STEPS, 4.0), each=KILLS)
    told = "\n".join(map(str, found))
    assert {kill.step for kill in found} == {*STEPS}, told
    assert out.read_bytes() == whole.read_bytes(), told
    run_snakemake(tmp_path, *settings)
    assert not list((tmp_path / "results").rglob(".*.part-*")), told


@contextmanager
def full_at(size: int) -> Iterator[None]:
    """A limit on the size of files stands for the end of the disk: writing fails in the same place."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("note", "processes", "done"),
    [("", "1", 11), ("x" * 400, "2", 0)],  # the output does not fit, or no part of it
)
def test_a_full_disk_is_told_and_a_later_run_writes_the_same_bytes(
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    note: str,
    processes: str,
    done: int,
) -> None:
    monkeypatch.setattr(rows, "ROWS", 3)
    file, whole, out = written(tmp_path / "new.csv", 32, note), tmp_path / "whole.csv", tmp_path / "out.csv"
    command = ["predict", str(model), str(file), "-n"]
    assert main([*command, "1", "-o", str(whole)]) == 0
    capsys.readouterr()
    with full_at(1000):  # bytes
        assert main([*command, processes, "-o", str(out)]) == 2
    *before, last = capsys.readouterr().err.strip().splitlines()
    assert before == []
    assert last.startswith(f"error: {out}")
    assert last.endswith("File too large")
    assert len(list(tmp_path.glob("out.csv.parts/*.csv"))) == done
    assert not list(tmp_path.rglob(".*"))
    assert main([*command, "1", "-o", str(out)]) == 0
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv", "out.csv", "whole.csv"]


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """A folder that may be read and entered alone; root is another user meanwhile."""
    folder.chmod(0o555)
    if root := os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


def test_a_folder_that_may_not_be_written_to_is_named_before_anything_is_predicted(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "new.csv", 5)
    shutil.copytree(model, tmp_path / "model")
    monkeypatch.chdir(tmp_path)  # from where another user goes on, who may not come there
    monkeypatch.setattr(workers.Predictor, "predict", None)
    with without_rights(tmp_path):
        assert main(["predict", "model", "new.csv", "-o", "out.csv"]) == 2
    (sentence,) = capsys.readouterr().err.strip().splitlines()
    assert sentence == "error: out.csv.parts: Permission denied"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "new.csv"]
