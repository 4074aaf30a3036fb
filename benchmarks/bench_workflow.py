"""How fast the workflow starts: parsing, a dry-run of 10,000 runs, a run with nothing to do.

    python -m benchmarks.bench_workflow

CPU seconds are measured in child processes, so that other work on the machine counts little.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
REPEATS = 3


def big_study(folder: Path) -> Path:
    """Write a study of 10,000 runs: 20 methods, 500 seeds."""
    study = yaml.safe_load((ROOT / "config" / "studies" / "demo.yaml").read_text())
    study["methods"] = [
        {
            "label": f"M{width}",
            "method": "shared_bottom",
            "encoder": "fingerprint_mlp",
            "encoder_options": {"width": width},
        }
        for width in range(16, 36)
    ]
    study["baseline"] = "M16"
    study["scales"] = {"quick": {"seeds": list(range(500))}}
    path = folder / "big.yaml"
    path.write_text(yaml.safe_dump(study))
    return path


def cpu_seconds(folder: Path, *arguments: str) -> float:
    """Least CPU seconds of a few starts of Snakemake in `folder`."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--workflow-profile", str(ROOT / "profiles" / "default")]
    taken = []
    for _ in range(REPEATS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, *arguments], check=True, capture_output=True, env={**os.environ})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


def main() -> None:
    """Print the CPU seconds of each start."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = cpu_seconds(folder, "--version")
        print(f"{'snakemake --version':40} {start:6.2f} CPU-s")
        parse = cpu_seconds(folder, "--list-rules")
        print(f"{'parsing the workflow':40} {parse:6.2f} CPU-s, {parse - start:.2f} of them our own")
        print(f"{'dry-run of the demo':40} {cpu_seconds(folder, '--dry-run'):6.2f} CPU-s")
        big = cpu_seconds(folder, "--dry-run", "--config", f"study={big_study(folder)}")
        print(f"{'dry-run of 10,000 runs':40} {big:6.2f} CPU-s")
        cpu_seconds(folder, "--cores", "2", "prepare_all")
        print(
            f"{'a run with nothing to do':40} {cpu_seconds(folder, '--cores', '2', 'prepare_all'):6.2f} CPU-s"
        )


if __name__ == "__main__":
    main()
