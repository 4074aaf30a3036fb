"""A copy of the project to which new files are added, and a study that runs in it."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

from tests.helpers.paths import ROOT
from tests.helpers.workflow import run_warm, write_study

PARTS = ("Snakefile", "config.yaml", "config", "workflow", "profiles", "envs", "src", "requirements.lock")
LEFT_OUT = ("__pycache__", "*.egg-info")


def digests(root: Path) -> dict[str, str]:
    """Path below `root` -> digest, of all files of the project."""
    files = [file for part in PARTS for file in [root / part, *(root / part).rglob("*")] if file.is_file()]
    kept = [file for file in files if "__pycache__" not in file.parts and ".egg-info" not in str(file)]
    return {str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest() for file in kept}


def extended(tmp_path: Path, files: dict[str, Path]) -> Path:
    """Return a copy of the project with added files: path in the project -> where its text is.

    All other files are as they were, which is asserted.
    """
    root = tmp_path / "project"
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns(*LEFT_OUT))
        else:
            root.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / part, root / part)
    for place, source in files.items():
        assert not (root / place).exists(), f"{place} is there already: an addition is a new file"
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / place)
    assert digests(root) == digests(ROOT) | {
        place: hashlib.sha256(source.read_bytes()).hexdigest() for place, source in files.items()
    }
    return root


def run_study(root: Path, study: dict[str, Any], *arguments: str, name: str = "mine") -> Path:
    """Run a study in the copy from start to end and return its folder of results."""
    path = write_study(root, study, name)
    before = digests(root)
    run_warm(root, *arguments, "--config", f"study={path}", root=root)
    assert digests(root) == before
    return root / "results"
