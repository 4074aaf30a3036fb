"""Running the workflow as a user does, in a folder of the test's own."""

import atexit
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from tests.helpers.paths import ROOT
from tests.helpers.warm_python import warm_python

Run = Callable[..., subprocess.CompletedProcess[str]]

TINY = {
    "title": "Planted data, small",
    "sources": {"planted": {"reader": "planted"}},
    "datasets": {
        "tiny_planted": {
            "source": "planted",
            "relations": {"source": "planted", "channel": "experimental"},
            "size": {"items": 2000, "tasks": 48, "labels_per_task": 800},
        }
    },
    "splits": {"schemes": ["scaffold"]},
    "training": {"epochs": 4, "learning_rate": 0.003},
    "methods": [
        {"label": "STL", "method": "single_task", "encoder": "fingerprint_mlp", "parts": 2},
        {"label": "MTL", "method": "shared_bottom", "encoder": "fingerprint_mlp"},
        {"label": "MTL_GIN", "method": "shared_bottom", "encoder": "gin"},
    ],
    "baseline": "STL",
    "scales": {
        "quick": {
            "seeds": [0, 1],
            "encoders": {"gin": {"width": 32, "layers": 2}, "fingerprint_mlp": {"width": 64}},
            "reduced": ["a test"],
        }
    },
}


def snakemake_command(
    folder: Path, *arguments: str, root: Path = ROOT, python: str | Path = sys.executable
) -> list[str]:
    """The command line by which `python` runs the workflow of `root` with results below `folder`."""
    return [
        str(python), "-m", "snakemake", "--snakefile", str(root / "Snakefile"), "--directory", str(folder),
        "--workflow-profile", str(root / "profiles" / "default"), "--cores", "2", *arguments,
    ]  # fmt: skip


def run_snakemake(
    folder: Path,
    *arguments: str,
    root: Path = ROOT,
    check: bool = True,
    python: str | Path = sys.executable,
) -> subprocess.CompletedProcess[str]:
    """Run the workflow; with `check`, a failure shows what Snakemake and the step's log said."""
    done = subprocess.run(
        snakemake_command(folder, *arguments, root=root, python=python),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        timeout=1800,
    )
    if check and done.returncode != 0:
        pytest.fail(f"snakemake failed:\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")
    return done


def run_warm(
    folder: Path, *arguments: str, root: Path = ROOT, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the workflow in a third of the time: Snakemake and its steps are forks of one Python."""
    return run_snakemake(folder, *arguments, root=root, check=check, python=warm())


@lru_cache
def warm() -> Path:
    """Start that Python; it ends with this process."""
    last = ExitStack()
    atexit.register(last.close)
    folder = last.enter_context(TemporaryDirectory())
    return last.enter_context(warm_python(Path(folder)))


def write_study(folder: Path, study: dict, name: str = "tiny") -> Path:
    """Write a study file and return its path, for `--config study=PATH`."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    return path


def jobs_of(output: str) -> dict[str, int]:
    """Rule -> jobs, from the table of a dry-run."""
    rows = re.findall(r"^(\w+) +(\d+)$", output.split("Job stats:")[1].split("total")[0], re.MULTILINE)
    return {rule: int(count) for rule, count in rows}
