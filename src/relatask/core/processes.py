"""Processes: the cores for them, and whether one may still live, by what it wrote into a shared file."""

import os
import platform
from pathlib import Path


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def this_place() -> str:
    """Where a process id means the same: a machine, and there the container."""
    container = Path("/proc/self/ns/pid")
    return f"{platform.node()} {container.readlink() if container.exists() else ''}"


def start_of(process: int) -> int:
    """When a process of this place started, in ticks since the machine did; 0 where nobody says so."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):  # it ended, it is hidden, or the system has no /proc
        return 0


def may_live(process: int, start: int = 0) -> bool:
    """Whether a process of this place may be alive.

    Args:
        process: its id.
        start: when it started, to tell it from a later one with its id; 0 where that is unknown.
    """
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        pass
    return start_of(process) in {start, 0} or start == 0
