"""What a run cost and on which machine; nothing that names a person or a folder."""

import os
import platform
import resource
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from relatask.core.versions import TRAINING_LIBRARIES, installed_versions

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# Read when the process starts: an upgrade while it trains changes what is installed and not what is imported.
LIBRARIES = installed_versions(TRAINING_LIBRARIES)


class Meter:
    """Time and peak memory from its making on."""

    def __init__(self, device: torch.device):
        self.device = device
        self.start = time.perf_counter()
        self.per_run = _reset_peak()

    def read(self, earlier: float = 0.0) -> dict[str, Any]:
        """The run's cost, machine and libraries; the memory is the process's where it cannot be reset.

        Args:
            earlier: seconds that processes before this one trained, which it goes on from.
        """
        return {
            "seconds": earlier + time.perf_counter() - self.start,
            "peak_rss_mb": _peak() if self.per_run else _process_peak(),
            "device": _name_of(self.device),
            "host": f"{platform.system()}, {os.cpu_count()} cores",
            "libraries": LIBRARIES,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }


def _name_of(device: torch.device) -> str:
    """Return the name of a GPU, or of the processor with how it computes: instructions and threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    instructions = torch.backends.cpu.get_cpu_capability()
    return f"{_processor()} ({instructions}, {threads} thread{'s' * (threads > 1)})"


def _reset_peak() -> bool:
    """Let Linux count the peak from now on; whether it does."""
    try:
        CLEAR.write_text("5")
    except OSError:
        return False
    return STATUS.exists()


def _peak() -> float:
    for line in STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return _process_peak()


def _process_peak() -> float:
    unit = 1024 if platform.system() == "Linux" else 1024**2  # macOS counts bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@lru_cache
def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "CPU"
