"""Where published numbers come from: code, command, software, hardware, data; never who or which host."""

import getpass
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relatask.core.files import read_json, sha256_of
from relatask.core.processes import usable_cores
from relatask.core.versions import installed_versions

if TYPE_CHECKING:
    import pandas as pd

PACKAGES = (
    "torch",
    "numpy",
    "pandas",
    "pyarrow",
    "duckdb",
    "pydantic",
    "rdkit",
    "scikit-learn",
    "scipy",
    "statsmodels",
    "matplotlib",
    "networkx",
    "snakemake",
)
SECRET = re.compile(
    r"(?i)((?:token|secret|password|passwd|api[-_]?key|credentials?)[\w-]*(?:\s*[=:]\s*|\s+))\S+"
)
LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
QUOTED = re.compile(r"""(?<=["'])(?:~\w*)?/[^"'\n]*/(?=[^"'/\n]+["'])""")  # a path that may hold spaces
ABSOLUTE = re.compile(r"(?<![\w.~/…-])(?:~\w*)?/(?:[^\s/'\",=:]+/)*([^\s/'\",=:]+)")


def scrub(text: str, root: Path) -> str:
    """Return `text` without home folders, absolute paths, user and host names, logins and secrets.

    Paths below `root` become relative; of another absolute path only the last name is kept, as `…/name`.
    """
    text = LOGIN.sub("", SECRET.sub(r"\1[removed]", text.replace("file://", "")))
    text = text.replace(f"{root.resolve()}/", "").replace(str(root.resolve()), ".")
    return without_names(ABSOLUTE.sub(r"…/\1", QUOTED.sub("…/", text)))


def without_names(text: str) -> str:
    """Return `text` without the names of the user and the host."""
    for name, instead in ((_user(), "[user]"), (socket.gethostname(), "[host]")):
        if len(name) > 2 and name != "root":
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", instead, text)
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in containers
        return ""


def _said(command: Sequence[str], folder: Path | None = None) -> str | None:
    """What a program prints, or None where it is absent or fails."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def commit(root: Path) -> dict[str, Any]:
    """Return the commit of the code in `root` and whether files differ from it.

    `results/published` does not count: publishing writes there. Both are None where `root` is no git
    repository, also if it lies in another one, as an installed package does.
    """
    head = _said(["git", "rev-parse", "HEAD"], root) if (root / ".git").exists() else None
    changed = _said(["git", "status", "--porcelain", "--", ".", ":!results/published"], root)
    return {"commit": head, "dirty": None if head is None else bool(changed)}


def packages() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide a result, as they are installed now."""
    return {"python": platform.python_version(), **installed_versions(PACKAGES)}


def hardware() -> dict[str, Any]:
    """Return CPU model, usable cores, memory in GiB, GPU names and the system's name."""
    cpu = platform.processor() or platform.machine()
    memory = None
    if sys.platform == "linux":
        models = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
        cpu = models[0] if models else cpu
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpus = _said(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    return {
        "cpu": cpu,
        "cores": usable_cores(),
        "memory_gib": None if memory is None else round(memory, 1),
        "gpus": gpus.splitlines() if gpus else [],
        "system": f"{platform.system()} {platform.machine()}",
    }


def durations(costs: "Sequence[pd.DataFrame]") -> dict[str, Any]:
    """Return what all runs took together: one after the other, and by the clock; and on which devices."""
    record: dict[str, Any] = {
        "run_seconds": None,
        "wall_seconds": None,  # from the first start to the last end, with pauses
        "n_runs": None,
        "devices": [],
    }
    if costs:
        record["run_seconds"] = round(sum(float(table["seconds"].sum()) for table in costs), 1)
        record["n_runs"] = sum(map(len, costs))
        record["wall_seconds"] = _by_the_clock(costs)
        record["devices"] = sorted({device for table in costs for device in table["device"]})
    return record


def _by_the_clock(costs: "Sequence[pd.DataFrame]") -> float | None:
    """Return the seconds from the first start to the last end of runs, None where one is unknown."""
    ends = [text for table in costs for text in table["finished"]]
    if not ends or not all(isinstance(text, str) for text in ends):
        return None
    times = [datetime.fromisoformat(text) for text in ends]
    seconds = [float(one) for table in costs for one in table["seconds"]]
    first = min(end - timedelta(seconds=one) for end, one in zip(times, seconds, strict=True))
    return round((max(times) - first).total_seconds(), 1)


def data_digests(files: Sequence[Path], results: Path) -> dict[str, str]:
    """Return the digest that each JSON record states, else the file's SHA-256, by path below `results`."""
    digests = {}
    for path in sorted(files):
        inside = path.resolve().is_relative_to(results.resolve())
        name = path.resolve().relative_to(results.resolve()).as_posix() if inside else path.name
        record = read_json(path) if path.suffix == ".json" else {}
        stated = record.get("digest") if isinstance(record, dict) else None
        digests[name] = stated or sha256_of(path)
    return digests


def provenance(facts: Mapping[str, Any], command: str, root: Path) -> dict[str, Any]:
    """Return the record beside published files: `facts` and what is known about code and machine."""
    return {
        **facts,
        **commit(root),
        "command": scrub(command, Path.cwd()),
        "packages": packages(),
        "hardware": hardware(),
    }
