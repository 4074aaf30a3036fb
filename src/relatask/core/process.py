"""Who a process is, so that another one can tell later whether it still runs."""

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process of some machine.

    Attributes:
        host: name of the machine.
        system: what tells boots of the machine and containers on it apart.
        pid: number of the process.
        started: when it started, in a unit of the system's own.
    """

    host: str
    system: str
    pid: int
    started: str

    @classmethod
    def this(cls) -> "Process":
        """Return the running process."""
        return cls(platform.node(), system(), os.getpid(), _started(os.getpid()) or "")

    @property
    def text(self) -> str:
        """How a message calls it."""
        return f"process {self.pid} on {self.host}"

    def is_here(self) -> bool:
        """Whether it ran where this process runs, so that its number means the same."""
        return (self.host, self.system) == (platform.node(), system())

    def has_ended(self) -> bool:
        """Whether it is known to have ended; of another machine or container nothing is known."""
        if self.host == platform.node() and self.system.split()[:1] != system().split()[:1]:
            return True  # the machine was started again since
        return self.is_here() and _started(self.pid) != self.started


@lru_cache
def system() -> str:
    """What tells boots of a machine and containers on it apart; empty where the system does not say."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return ""


def _started(pid: int) -> str | None:
    """When a process started, or None if there is none, or only one that waits to be buried."""
    try:
        state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if state in ("Z", "X") else numbers[18]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except (OSError, IndexError):
        return ""
    return _running(pid)


def _running(pid: int) -> str | None:
    """Where there is no /proc: nothing tells a process from a later one of its number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""
