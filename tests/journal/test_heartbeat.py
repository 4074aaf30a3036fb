"""A shard is running while it says so, and the moment it is killed it is not."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relatask.journal import heartbeat as heartbeats
from relatask.journal.heartbeat import Heartbeat, LastHeartbeat, read_heartbeats

PROCESS = """
import sys, time
from pathlib import Path
from relatask.journal.heartbeat import Heartbeat
with Heartbeat(Path(sys.argv[1]), "00007") as heartbeat:
    heartbeat.begin("abc")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_lease_names_the_run_and_ends_with_the_block(tmp_path: Path) -> None:
    with Heartbeat(tmp_path, "00003") as heartbeat:
        assert read_heartbeats(tmp_path) == [LastHeartbeat("00003", None, 0.0, True)]
        heartbeat.begin("abc")
        assert read_heartbeats(tmp_path) == [LastHeartbeat("00003", "abc", 0.0, True)]
    assert read_heartbeats(tmp_path) == []


def test_a_lease_ends_with_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), Heartbeat(tmp_path, "00003"):
        raise ValueError("x")
    assert read_heartbeats(tmp_path) == []


def test_the_beat_tells_how_far_the_run_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "BEAT", 0.01)
    with Heartbeat(tmp_path, "00003") as heartbeat:
        heartbeat.begin("abc")
        heartbeat.share = 0.25
        end = time.monotonic() + 20
        while read_heartbeats(tmp_path) != [LastHeartbeat("00003", "abc", 0.25, True)]:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_killed_process_does_not_run(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert read_heartbeats(tmp_path) == [LastHeartbeat("00007", "abc", 0.0, True)]
    process.kill()
    process.communicate()
    assert read_heartbeats(tmp_path) == [LastHeartbeat("00007", "abc", 0.0, False)]


@pytest.mark.parametrize(("age", "running"), [(0, True), (90, True), (110, False), (-110, False)])
def test_on_another_machine_only_the_beat_tells(tmp_path: Path, age: float, running: bool) -> None:
    path = tmp_path / "running" / "00001.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"run_id": "abc", "share": 0.5, "place": "elsewhere", "process": 1}))
    os.utime(path, (time.time() - age,) * 2)
    assert read_heartbeats(tmp_path) == [LastHeartbeat("00001", "abc", 0.5, running)]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"run_id": 1, "share": null}'])
def test_what_is_no_lease_is_passed_over(tmp_path: Path, text: str) -> None:
    path = tmp_path / "running" / "00001.json"
    path.parent.mkdir()
    path.write_text(text)
    assert read_heartbeats(tmp_path) == []


def test_a_folder_that_cannot_be_written_stops_no_training(tmp_path: Path) -> None:
    (tmp_path / "running").write_text("a file where the folder should be")
    with Heartbeat(tmp_path, "00003") as heartbeat:
        heartbeat.begin("abc")
    assert read_heartbeats(tmp_path) == []
