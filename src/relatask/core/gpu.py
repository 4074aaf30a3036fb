"""Whether this machine has a GPU, told without torch, which takes seconds to import."""

from pathlib import Path

DRIVERS = ("/dev/nvidiactl", "/dev/dxg")  # of NVIDIA on Linux, and on Windows' Linux


def has_driver() -> bool:
    """Return whether a driver of NVIDIA offers a device here."""
    return any(Path(device).exists() for device in DRIVERS)
