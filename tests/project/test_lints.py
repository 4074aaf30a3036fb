"""Every checker that a contributor would run by hand is clean."""

import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
PYTHON_FOLDERS = ["src", "tests", "benchmarks"]
CHECKS = {
    "ruff": [BIN / "ruff", "check", *PYTHON_FOLDERS],
    "ruff format": [BIN / "ruff", "format", "--check", *PYTHON_FOLDERS],
    "mypy": [BIN / "mypy"],
    "import-linter": [BIN / "lint-imports"],
    "snakefmt": [BIN / "snakefmt", "--check", "Snakefile", "workflow"],
    "snakemake --lint": [sys.executable, "-m", "snakemake", "--lint"],
}


@pytest.mark.parametrize("name", CHECKS)
def test_is_clean(name: str, root: Path) -> None:
    done = subprocess.run([str(part) for part in CHECKS[name]], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, f"{name}:\n{done.stdout[-5000:]}\n{done.stderr[-5000:]}"


def test_rule_step_log_and_benchmark_share_one_name(root: Path) -> None:
    steps = {path.stem for path in (root / "src" / "relatask" / "steps").glob("[!_]*.py")}
    rules: dict[str, str] = {}
    for path in (root / "workflow" / "rules").glob("*.smk"):
        for text in ("\n" + path.read_text()).split("\nrule ")[1:]:
            name, body = text.split(":", 1)
            if "shell:" in body:  # the others only collect files
                rules[name] = body
    assert set(rules) == steps
    for name, body in rules.items():
        assert f"python -m relatask {name} --log {{log}}" in body, name
        assert f"results/logs/{name}/" in body, name
        assert f"results/benchmarks/{name}/" in body, name
        for directive in ("conda:", "threads:", "mem_mb=", "runtime=", "code="):
            assert directive in body, f"{name} lacks {directive}"


def test_no_job_runs_python_in_the_rule_files(root: Path) -> None:
    for path in (root / "workflow" / "rules").glob("*.smk"):
        assert "    run:" not in path.read_text(), f"{path.name}: a job through run: costs a second"
