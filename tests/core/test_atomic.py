"""A file appears whole or not at all, and what a killed process left behind goes away."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relatask.core import atomic
from relatask.core.atomic import DAY, MARK, atomic_path
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


NO_LOCKS = {
    "local to each machine": "import fcntl; fcntl.flock = lambda *_: None",
    "absent": "import fcntl, os; fcntl.flock = lambda *_: os.close(-1)",  # an OSError
}
OTHER_MACHINE = "import platform; platform.node = lambda: 'another-node'"


def writer(path: Path, before: str = "") -> subprocess.Popen[str]:
    """A process in the middle of writing `path`; it runs the code `before` first."""
    process = subprocess.Popen(
        [sys.executable, "-c", before + WRITER, str(path)],
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
    atomic._SWEPT.clear()


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


@pytest.mark.parametrize("locks", NO_LOCKS)
@pytest.mark.parametrize("machine", ["", OTHER_MACHINE])
def test_without_locks_too_a_file_is_left_to_the_process_that_writes_it(
    tmp_path: Path, locks: str, machine: str
) -> None:
    """Two processes, of one machine and of two, in a folder where any lock is granted, or none."""
    open_ended = WRITER.replace("time.sleep(60)", "sys.stdin.readline()")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    first, second = (
        subprocess.Popen(
            [sys.executable, "-c", f"{before}\n{NO_LOCKS[locks]}\n{open_ended}", str(tmp_path / name)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for name, before in (("a.txt", machine), ("b.txt", ""))
    )
    for process in (first, second):
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
    for process in (second, first):
        assert process.communicate("\n", timeout=30) == ("", "")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.txt", "b.txt"]


def test_what_another_machine_left_is_removed_after_a_day(tmp_path: Path) -> None:
    process = writer(tmp_path / "a.txt", OTHER_MACHINE)
    process.kill()
    process.wait()
    (left,) = leftovers(tmp_path)
    for age, remains in ((DAY - 60, True), (DAY + 60, False)):
        os.utime(left, (time.time() - age,) * 2)
        forget_sweeps()
        write_text(tmp_path / "b.txt", "whole")
        assert left.exists() == remains


def test_an_id_that_another_process_has_by_now_does_not_keep_what_a_killed_one_left(tmp_path: Path) -> None:
    mine = atomic.temporary_beside(tmp_path / "a.txt")
    earlier = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{os.getpid()}-1"))  # started later
    for path in (mine, earlier):
        path.write_text("half")
    write_text(tmp_path / "b.txt", "whole")
    assert leftovers(tmp_path) == [mine]


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_a_file_has_the_mode_that_the_umask_says(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_text(tmp_path / "folder" / "a.txt", "whole")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "folder" / "a.txt").stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~umask


def test_a_file_of_the_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 125 + ".txt")  # 254 bytes
    write_text(path, "whole")
    assert list(tmp_path.iterdir()) == [path]
