"""An entry of the journal is there as a whole or not at all, and counts for its own code and data only."""

import errno
import fcntl
import json
import logging
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from relatask.core.atomic import temporary_beside
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table
from relatask.engine.run import RunResult
from relatask.journal import journal as journals
from relatask.journal.finished import Finished
from relatask.journal.journal import Journal
from tests.helpers.prepared_dataset import make_spec

SPEC = make_spec()
DIGESTS = {"code": "c", "data": "d"}
MEASURED = {"seconds": 1.0, "peak_rss_mb": 2.0, "device": "CPU", "host": "Linux"}


def result(score: float = 0.5) -> Finished:
    cells = {"run_id": SPEC.run_id, "fold": ["test"], "item_id": [3], "task_id": ["a"]}
    epochs = {
        "run_id": SPEC.run_id,
        "task_id": [None],
        "epoch": [1],
        "train_loss": [0.7],
        "valid_metric": [0.6],
    }
    return RunResult(
        pd.DataFrame({**cells, "label": [1.0], "score": [score]}),
        pd.DataFrame({**epochs, "seconds": [0.1], "examples_per_second": [10.0]}),
        None,
    ).finished({"model/model.json": b"{}"})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def test_a_finished_run_is_held_with_all_its_files(journal):
    assert not journal.holds(SPEC, DIGESTS)
    journal.enter(SPEC, DIGESTS, result(), MEASURED)
    assert journal.holds(SPEC, DIGESTS)
    entry = journal.runs / SPEC.run_id
    assert {path.name for path in entry.iterdir()} == {
        "run.json", "predictions.parquet", "history.parquet", "model",
    }  # fmt: skip
    assert json.loads((entry / "run.json").read_text())["spec"] == SPEC.as_dict()
    assert (entry / "model" / "model.json").read_bytes() == b"{}"
    assert journal.model(SPEC.run_id) == entry / "model"
    assert [path.name for path in journal.runs.iterdir()] == [SPEC.run_id]


def test_a_model_that_was_not_kept_is_named_with_the_way_to_it(journal):
    journal.enter(SPEC, DIGESTS, replace(result(), files={}), MEASURED)
    entry = re.escape(str(journal.runs / SPEC.run_id))
    with pytest.raises(
        RelataskError,
        match=rf"set keep_models: all in config\.yaml, delete {entry} and .*/\*\.done\.json, and",
    ):
        journal.model(SPEC.run_id)


@pytest.mark.parametrize(
    ("digests", "said"), [({"code": "x", "data": "d"}, "code"), ({"code": "c", "data": "x"}, "data")]
)
def test_an_entry_of_other_code_or_data_is_replaced_and_the_log_says_why(journal, caplog, digests, said):
    journal.enter(SPEC, DIGESTS, result(0.1), MEASURED)
    with caplog.at_level(logging.INFO):
        assert not journal.holds(SPEC, digests)
    assert f"trained again: its {said} changed" in caplog.text
    journal.enter(SPEC, digests, result(0.9), MEASURED)
    assert journal.holds(SPEC, digests)
    assert not journal.holds(SPEC, DIGESTS)
    assert read_table("predictions", journal.predictions_path(SPEC))["score"].tolist() == [pytest.approx(0.9)]


@pytest.mark.parametrize(
    "damage", [lambda e: (e / "run.json").write_text("{"), lambda e: (e / "history.parquet").unlink()]
)
def test_a_damaged_entry_does_not_count(journal, caplog, damage):
    journal.enter(SPEC, DIGESTS, result(), MEASURED)
    damage(journal.runs / SPEC.run_id)
    with caplog.at_level(logging.INFO):
        assert not journal.holds(SPEC, DIGESTS)
    assert "damaged" in caplog.text


@pytest.mark.parametrize("table", ["predictions", "history"])
def test_a_failure_while_writing_leaves_nothing_and_keeps_the_old_entry(journal, monkeypatch, table):
    journal.enter(SPEC, DIGESTS, result(0.1), MEASURED)
    write = journals.write_table

    def broken(name: str, frame: pd.DataFrame, path: Path) -> None:
        if name == table:
            raise OSError("disk full")
        write(name, frame, path)

    monkeypatch.setattr(journals, "write_table", broken)
    with pytest.raises(OSError, match="disk full"):
        journal.enter(SPEC, {"code": "new", "data": "d"}, result(0.9), MEASURED)
    assert journal.holds(SPEC, DIGESTS)
    assert [path.name for path in journal.runs.iterdir()] == [SPEC.run_id]


def other_process(monkeypatch, journal: Journal, owner: type, name: str) -> None:
    """Let another process enter the same run right before this one's first call of `owner.name`."""
    original = getattr(owner, name)

    def late(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(owner, name, original)
        Journal(journal.folder).enter(SPEC, DIGESTS, result(), MEASURED)
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, late)


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize(
    ("owner", "name"),
    [(Path, "mkdir"), (journals, "write_table"), (journals, "write_json"), (fcntl, "flock")],
)
def test_two_processes_that_finish_the_same_run_do_not_hurt_each_other(
    journal, monkeypatch, owner, name, stale
):
    if stale:
        journal.enter(SPEC, {"code": "old", "data": "d"}, result(0.1), MEASURED)
    other_process(monkeypatch, journal, owner, name)
    journal.enter(SPEC, DIGESTS, result(), MEASURED)
    assert journal.holds(SPEC, DIGESTS)
    assert read_table("predictions", journal.predictions_path(SPEC))["score"].tolist() == [0.5]
    assert [path.name for path in journal.runs.iterdir()] == [SPEC.run_id]


def test_an_entry_in_the_place_of_another_run_does_not_count(journal):
    """As after two folders were swapped: its files are whole, and its digests those of the run."""
    other = replace(SPEC, seed=SPEC.seed + 1)
    journal.enter(SPEC, DIGESTS, result(), MEASURED)
    (journal.runs / SPEC.run_id).rename(journal.runs / other.run_id)
    assert not journal.holds(other, DIGESTS)


def locks_always_fail(handle: object, how: int) -> None:
    raise OSError(errno.ENOSYS, "Function not implemented")


@pytest.mark.parametrize("flock", [locks_always_fail, lambda handle, how: None])
@pytest.mark.parametrize("stale", [False, True])
def test_without_locks_two_processes_that_finish_the_same_run_do_not_hurt_each_other(
    journal, monkeypatch, flock, stale
):
    """The other process enters the run in the middle of the replacement, which no lock prevents."""
    if stale:
        journal.enter(SPEC, {"code": "old", "data": "d"}, result(0.1), MEASURED)
    monkeypatch.setattr(fcntl, "flock", flock)
    other_process(monkeypatch, journal, Path, "rename")
    journal.enter(SPEC, DIGESTS, result(), MEASURED)
    assert journal.holds(SPEC, DIGESTS)
    assert read_table("predictions", journal.predictions_path(SPEC))["score"].tolist() == [0.5]
    assert [path.name for path in journal.runs.iterdir()] == [SPEC.run_id]


def test_the_folder_of_a_process_that_writes_an_entry_is_left_to_it(journal):
    writing = temporary_beside(journal.runs / SPEC.run_id)
    writing.mkdir(parents=True)
    journal.enter(SPEC, DIGESTS, result(), MEASURED)
    assert writing.exists()


def test_an_entry_that_counts_is_never_touched_again(journal):
    journal.enter(SPEC, DIGESTS, result(), MEASURED)

    def files() -> dict[Path, tuple[int, int, int]]:  # reading one changes its time of access
        found = {path: path.stat() for path in (journal.runs / SPEC.run_id).iterdir()}
        return {path: (stat.st_ino, stat.st_mtime_ns, stat.st_size) for path, stat in found.items()}

    before = files()
    assert len(before) > 3
    journal.enter(SPEC, DIGESTS, result(), {**MEASURED, "seconds": 9.0})
    assert files() == before


def test_what_killed_processes_left_behind_is_removed(journal):
    killed = temporary_beside(journal.runs / SPEC.run_id)
    killed = killed.with_name(killed.name.replace(f"-{os.getpid()}-", f"-{2**30}-"))  # no process has this id
    for leftover in (killed, killed.with_name(f"{killed.name}.old")):
        leftover.mkdir(parents=True)
        (leftover / "predictions.parquet").write_text("half")
    assert not journal.holds(SPEC, DIGESTS)
    journal.enter(SPEC, DIGESTS, result(), MEASURED)
    assert [path.name for path in journal.runs.iterdir()] == [SPEC.run_id]


def test_a_failure_is_noted_until_the_run_succeeds(journal):
    journal.fail(SPEC, "the loss diverged")
    note = journal.failures / f"{SPEC.run_id}.json"
    assert json.loads(note.read_text())["reason"] == "the loss diverged"
    assert not journal.holds(SPEC, DIGESTS)
    journal.enter(SPEC, DIGESTS, result(), MEASURED)
    assert not note.exists()
