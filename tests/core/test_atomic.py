"""A file appears whole or not at all, and what a killed process left behind goes away."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from relatask.core.atomic import MARK, atomic_path
from relatask.core.files import write_text
from tests.helpers.paths import ROOT

WRITER = """
import sys, time
from relatask.core.atomic import atomic_path
with atomic_path(sys.argv[1]) as path:
    path.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def writer(path: Path) -> subprocess.Popen[str]:
    """A process in the middle of writing `path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def leftovers(folder: Path) -> list[Path]:
    return sorted(folder.glob(f".*{MARK}*"))


def stopped(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("stop")


def forget_sweeps() -> None:
    """As in a process that starts now."""
    from relatask.core.atomic import _sweep

    _sweep.cache_clear()


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError, match="stop"):
        stopped(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_killed_process_left_is_removed_by_the_next_that_writes_there(tmp_path: Path) -> None:
    process = writer(tmp_path / "a.txt")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(leftovers(tmp_path)) == 1
    forget_sweeps()
    write_text(tmp_path / "b.txt", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_what_a_living_process_writes_is_left_to_it(tmp_path: Path) -> None:
    process = writer(tmp_path / "a.txt")
    try:
        forget_sweeps()
        write_text(tmp_path / "b.txt", "whole")
        assert len(leftovers(tmp_path)) == 1
    finally:
        process.terminate()
        process.wait()
    assert not (tmp_path / "a.txt").exists()


def test_a_system_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as raised, atomic_path(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert raised.value.filename == str(tmp_path / "a.txt")
