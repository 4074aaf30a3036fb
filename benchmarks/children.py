"""What a child process costs: CPU time, which neighbours disturb least, wall time and peak memory."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """Of a process and the children that it waited for."""

    cpu: float  # seconds
    wall: float  # seconds
    megabytes: float  # largest resident set of one of the processes


def cost_of(command: Sequence[str | Path], folder: Path | None = None) -> Cost:
    """Run a command to its end, in `folder`, and return what it cost.

    Linux counts the memory of the caller before the command takes its place, so the caller must be small.

    Raises:
        SystemExit: the command failed, with what it said.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))[:300]} failed:\n{said[-3000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - start, usage.ru_maxrss / 1024)


def least(costs: Sequence[Cost]) -> Cost:
    """The least of each of several tries, the one that neighbours disturbed least."""
    return Cost(min(c.cpu for c in costs), min(c.wall for c in costs), min(c.megabytes for c in costs))


def step_command(step: str, *arguments: str | Path) -> list[str]:
    """The command of a step, as the workflow starts it."""
    return [sys.executable, "-m", "relatask", step, *map(str, arguments)]
