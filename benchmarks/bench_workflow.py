"""How fast the workflow starts: parsing, a dry-run of 10,000 and of 100,000 runs, a run with nothing to do.

    python -m benchmarks.bench_workflow

CPU seconds, the least of a few starts, which other work on the machine disturbs little, and peak memory.
"""

import sys
import tempfile
from pathlib import Path

import yaml

from benchmarks.children import Cost, cost_of, least

ROOT = Path(__file__).parents[1]
REPEATS = 3


def big_study(folder: Path, n_runs: int) -> Path:
    """Write a study of `n_runs`, with 500 seeds."""
    study = yaml.safe_load((ROOT / "config" / "studies" / "demo.yaml").read_text())
    study["methods"] = [
        {
            "label": f"M{width}",
            "method": "shared_bottom",
            "encoder": "fingerprint_mlp",
            "encoder_options": {"width": width},
        }
        for width in range(16, 16 + n_runs // 500)
    ]
    study["baseline"], study["contrasts"] = "M16", []
    study["scales"] = {"quick": {"seeds": list(range(500))}}
    path = folder / f"big{n_runs}.yaml"
    path.write_text(yaml.safe_dump(study))
    return path


def start_of(folder: Path, *arguments: str) -> Cost:
    """Least cost of a few starts of Snakemake in `folder`."""
    command: list[str | Path] = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--directory", folder, "--workflow-profile", ROOT / "profiles" / "default", *arguments]
    return least([cost_of(command) for _ in range(REPEATS)])


def report(name: str, cost: Cost, note: str = "") -> None:
    """Print a line."""
    print(f"{name:40} {cost.cpu:6.2f} CPU-s {cost.megabytes:6.0f} MB{note}", flush=True)


def main() -> None:
    """Print the cost of each start."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = start_of(folder, "--version")
        report("snakemake --version", start)
        parse = start_of(folder, "--list-rules")
        report("parsing the workflow", parse, f", {parse.cpu - start.cpu:.2f} CPU-s of them our own")
        report("dry-run of the demo", start_of(folder, "--dry-run"))
        for n_runs in (10_000, 100_000):
            study = f"study={big_study(folder, n_runs)}"
            report(f"parsing a study of {n_runs:,} runs", start_of(folder, "--list-rules", "--config", study))
            report(f"dry-run of {n_runs:,} runs", start_of(folder, "--dry-run", "--config", study))
        start_of(folder, "--cores", "2", "prepare_all")
        report("a run with nothing to do", start_of(folder, "--cores", "2", "prepare_all"))


if __name__ == "__main__":
    main()
