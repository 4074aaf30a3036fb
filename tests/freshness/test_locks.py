"""Locks name their process: those of the living keep others out, those of the dead nobody."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from relatask.core.files import write_json
from relatask.freshness.ledger import FOLDER
from relatask.freshness.locks import LOCKS, Locks, Owner


@pytest.fixture
def locks(tmp_path: Path) -> Locks:
    return Locks(tmp_path / "locks")


def lock_of(owner: Owner, folder: Path) -> Path:
    path = folder / "other.json"
    write_json(path, {**asdict(owner), "files": {"output": ["results/demo/plan.parquet"]}})
    return path


def test_a_living_process_holds_its_files(locks: Locks) -> None:
    lock_of(Owner.this(), locks.folder)
    assert list(locks.of_others()) == [(Owner.this(), "output", "results/demo/plan.parquet")]


def test_a_process_that_was_killed_holds_nothing(locks: Locks) -> None:
    code = "from relatask.freshness.locks import Owner; print(repr(Owner.this())); input()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True)
    assert child.stdout
    owner = eval(child.stdout.readline(), {"Owner": Owner})
    path = lock_of(owner, locks.folder)
    assert [found for found, _, _ in locks.of_others()] == [owner]
    child.kill()
    child.wait()
    assert list(locks.of_others()) == []
    assert not path.exists()


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        (
            {"started": 1},
            False,
        ),  # its number belongs to a later process
        ({"place": "node17 pid:[1]"}, True),  # nobody here can know
        ({"place": "node17 pid:[1]", "pid": 10**6}, True),
    ],
)
def test_whether_a_process_still_runs_is_known_of_this_machine_alone(
    locks: Locks, change: dict[str, str], holds: bool
) -> None:
    lock_of(replace(Owner.this(), **change), locks.folder)
    assert bool(list(locks.of_others())) == holds


def test_own_locks_are_no_ones_hindrance_and_end_with_the_workflow(locks: Locks) -> None:
    locks.add("input", ["a"])
    locks.add("output", ["b"])
    assert list(locks.of_others()) == []
    other = Locks(locks.folder)
    assert [(kind, file) for _, kind, file in other.of_others()] == [("input", "a"), ("output", "b")]
    locks.release()
    assert list(other.of_others()) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"files": {}}', '{"files": {}, "pid": "x"}'])
def test_half_a_lock_is_none(locks: Locks, text: str) -> None:
    """A process that was killed while it wrote has ended."""
    locks.folder.mkdir()
    (locks.folder / "half.json").write_text(text)
    assert list(locks.of_others()) == []


def test_unlock_removes_all(locks: Locks) -> None:
    lock_of(replace(Owner.this(), place="node17"), locks.folder)
    locks.clear()
    assert list(locks.of_others()) == []


ENTER = """
import sys, time
from pathlib import Path
from relatask.freshness.locks import Locks
locks = Locks(Path(sys.argv[1]))
print("ready", flush=True)
input()
with locks.entrance():
    locks.add("output", ["results/demo/plan.parquet"])
    entered = not list(locks.of_others())
if not entered:
    locks.release()
print(entered, flush=True)
input()
"""


def test_of_several_that_start_at_once_one_enters(locks: Locks) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", ENTER, str(locks.folder)], stdin=-1, stdout=-1, text=True)
        for _ in range(6)
    ]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin
        child.stdin.write("\n")
        child.stdin.flush()
    entered = [child.stdout.readline().strip() for child in children if child.stdout]
    for child in children:
        child.communicate("\n")
    assert sorted(entered) == ["False"] * 5 + ["True"]


def test_records_of_a_data_set_called_locks_are_no_locks(tmp_path: Path) -> None:
    folder = tmp_path / "results" / FOLDER
    record = folder / "locks" / "items.parquet.json"
    write_json(record, {"version": 1})
    locks = Locks(folder / LOCKS)
    assert list(locks.of_others()) == []
    locks.clear()
    assert record.exists()


@pytest.mark.parametrize(
    "content",
    ["5", '["output"]', '{"output": null}'],
)
def test_a_lock_of_odd_files_is_none_and_one_of_a_later_version_is_one(locks: Locks, content: str) -> None:
    text = json.dumps({**asdict(Owner.this()), "files": json.loads(content)})
    locks.folder.mkdir()
    (locks.folder / "odd.json").write_text(text)
    (locks.folder / "folder.json").mkdir()
    assert list(locks.of_others()) == []
    write_json(
        locks.folder / "later.json", {**asdict(Owner.this()), "files": {"output": ["a"]}, "mood": "good"}
    )
    assert [file for _, _, file in locks.of_others()] == ["a"]
