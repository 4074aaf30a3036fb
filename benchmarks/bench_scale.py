"""Cost of preparing data sets from 1,000 molecules to LSC's 456,331, step by step.

    python -m benchmarks.bench_scale                          two small sizes
    python -m benchmarks.bench_scale --full --out docs/scale  all sizes; half an hour; keeps table and figure

Each step runs as the workflow starts it, in a process of its own. `labels` is what prepare_items
does besides the chemistry of each molecule: reading the label matrix and merging rows. 1,310 tasks, about
10 labels a molecule, interactions of the size of STRING's human table.
"""

import argparse
import csv
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.children import Cost, cost_of, least, step_command

FULL = (1_000, 3_000, 10_000, 30_000, 100_000, 456_331)
SMALL = (1_000, 10_000)
WITHOUT_CHEMISTRY = ("labels", "relate_tasks", "densify_dataset", "split_items")
LABELS = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
from relatask.core.tables import write_table
from relatask.core.source_block import source_block
from relatask.sources.lsc.tables import read_lsc
from relatask.data.replicates import merge_labels
raw = Path(sys.argv[1])
table = read_lsc(source_block({"reader": "lsc", "task_sheet": str(raw / "task_sheet.csv")}, "lsc"), raw)
merged = merge_labels(table.labels, np.arange(len(table.smiles)), table.tasks)
task = pd.Categorical.from_codes(merged.labels.task, categories=table.tasks["name"])
write_table("labels", merged.labels.assign(task_id=task, bound="="), sys.argv[2])
print(merged.counts)
"""
LOAD = """
import sys
from relatask.data.prepared import PreparedDataset
print(len(PreparedDataset.load(sys.argv[1], "random-0", inputs=sys.argv[2]).folds["train"]))
"""


def steps(raw: Path, work: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield (name, command) of every step on the files in `raw`, each after those it needs."""
    source, data = work / "sources" / "lsc", work / "lsc"
    sheet = json.dumps({"reader": "lsc", "task_sheet": str(raw / "task_sheet.csv")})
    relations = json.dumps({"source": "string", "channel": "experimental", "min_score": 0.9})
    # the bounds that leave nearly all; higher ones remove most of LSC at once and cost less
    densify = json.dumps({"tau": 2, "min_positives": 1, "min_negatives": 1, "drop_isolated": False})
    yield "labels", [sys.executable, "-c", LABELS, str(raw), str(work / "labels.parquet")]
    yield "prepare_items", step_command(
        "prepare_items", "--name", "lsc", "--source-config", sheet, "--raw", raw, "--out-dir", source
    )  # fmt: skip
    yield "relate_tasks", step_command(
        "relate_tasks", "--tasks", source / "tasks.parquet", "--interactions", raw.parent / "links.txt",
        "--relations-config", relations, "--out", data / "raw_relations.parquet",
    )  # fmt: skip
    yield "densify_dataset", step_command(
        "densify_dataset", "--source-dir", source, "--relations", data / "raw_relations.parquet",
        "--densify-config", densify, "--out-dir", data,
    )  # fmt: skip
    for scheme in ("random", "scaffold", "stratified", "cells"):
        yield f"split_items {scheme}", step_command(
            "split_items", "--items", data / "items.parquet", "--labels", data / "labels.parquet",
            "--scheme", scheme, "--seed", "0", "--out", data / "splits" / f"{scheme}-0.parquet",
        )  # fmt: skip
    yield (
        "featurise_items",
        step_command(
            "featurise_items",
            "--items",
            data / "items.parquet",
            "--inputs",
            "graph",
            "ecfp",
            "--out-dir",
            data / "features",
        ),
    )
    for inputs in ("graph", "ecfp"):
        yield f"load {inputs}", [sys.executable, "-c", LOAD, str(data), inputs]


def measure(folder: Path, sizes: tuple[int, ...], tries: int) -> list[dict[str, object]]:
    """Return a row for each size and step: the least of some tries."""
    links = "import sys; from pathlib import Path; from benchmarks.lsc_like import write_interactions; "
    cost_of([sys.executable, "-c", links + "write_interactions(Path(sys.argv[1]))", folder / "links.txt"])
    rows: list[dict[str, object]] = []
    for size in sizes:
        raw = folder / f"raw{size}"
        cost_of([sys.executable, "-m", "benchmarks.lsc_like", raw, str(size)])
        summed: dict[str, list[Cost]] = {"four steps": []}
        for name, command in steps(raw, folder / f"results{size}"):
            slow = name in {"prepare_items", "featurise_items"} and size > 50_000
            cost = least([cost_of(command) for _ in range(1 if slow else tries)])
            rows.append(_row(size, name, cost))
            if name.split()[0] in WITHOUT_CHEMISTRY:
                summed["four steps"].append(cost)
        parts = summed["four steps"]
        total = Cost(sum(c.cpu for c in parts), sum(c.wall for c in parts), max(c.megabytes for c in parts))
        rows.append(_row(size, "labels, relate, densify, split", total))
    return rows


def _row(size: int, name: str, cost: Cost) -> dict[str, object]:
    print(
        f"{size:8,d} {name:32} {cost.cpu:8.2f} CPU-s {cost.wall:8.2f} s {cost.megabytes:7.0f} MB", flush=True
    )
    return {
        "molecules": size,
        "step": name,
        "cpu_seconds": round(cost.cpu, 2),
        "wall_seconds": round(cost.wall, 2),
        "peak_rss_mb": round(cost.megabytes),
    }


def draw(rows: list[dict[str, object]], path: Path) -> None:
    """Draw molecules against CPU time and peak memory of each step."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    names = list(dict.fromkeys(str(row["step"]) for row in rows))
    axes = figure.subplots(1, 2)
    for axis, column, label in zip(
        axes, ("cpu_seconds", "peak_rss_mb"), ("CPU seconds", "peak RSS (MB)"), strict=True
    ):
        for number, name in enumerate(names[:-1]):
            line = [row for row in rows if row["step"] == name]
            style = {"marker": "osD^vPX*<>h"[number], "color": f"C{number}", "label": name}
            axis.plot([row["molecules"] for row in line], [row[column] for row in line], **style)
        axis.set(xscale="log", yscale="log", xlabel="molecules", ylabel=label)
        axis.grid(alpha=0.3)
    axes[1].axhline(4096, color="black", linestyle="--", linewidth=1)
    axes[1].text(1000, 4300, "4 GB", fontsize=8)
    axes[1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.savefig(path, dpi=130)


def hardware() -> str:
    """The machine in one line."""
    cpu = next(
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def main() -> None:
    """Measure, print, and keep what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="up to the size of LSC")
    parser.add_argument(
        "--tries", type=int, default=3, help="of each step but the long ones; the least counts"
    )
    parser.add_argument("--out", type=Path, help="folder for cost_curve.csv and cost_curve.png")
    arguments, _ = parser.parse_known_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    print(hardware())
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), FULL if arguments.full else SMALL, arguments.tries)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        with (arguments.out / "cost_curve.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        draw(rows, arguments.out / "cost_curve.png")


if __name__ == "__main__":
    main()
