"""What the number of labels costs: 114,075 molecules, 200 tasks, up to 10.6 million labels.

    python -m benchmarks.bench_labels                  0.5 million labels
    python -m benchmarks.bench_labels --full           0.5, 2 and 10.6 million; ten minutes

Each step runs as the workflow starts it, in a process of its own. `load` is what a shard reads of labels and
of a split; `evaluate_runs` is of five runs that predicted a fifth of the labels each.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.bench_scale import hardware
from benchmarks.children import cost_of, least, step_command
from relatask.core.files import write_json
from relatask.core.tables import read_table, write_table
from relatask.data.source_tables import empty_table
from relatask.data.tasks import completed_tasks, with_counts

MOLECULES, TASKS, RUNS = 114_075, 200, 5
FULL = (500_000, 2_000_000, 10_600_000)
SCHEMES = ("random", "scaffold", "stratified", "cross_validation", "masked", "cells")
LOAD = """
import sys
from relatask.data.prepared import PreparedDataset
print(len(PreparedDataset.load(sys.argv[1], sys.argv[2], inputs="none").folds["train"]))
"""
WRITE = """
import sys
from pathlib import Path
from benchmarks.bench_labels import write_predictions, write_source
write_source(Path(sys.argv[1]), int(sys.argv[2]))
write_predictions(Path(sys.argv[1]))
"""


def write_source(folder: Path, n_labels: int) -> None:
    """Write the tables of a source with about `n_labels` labels, 30 % of them active."""
    rng = np.random.default_rng(0)
    cells = np.flatnonzero(rng.random(MOLECULES * TASKS) < n_labels / (MOLECULES * TASKS))
    row, column = np.divmod(cells, TASKS)
    values = (rng.random(len(cells)) < 0.3).astype(np.float32)
    names = [f"CHEMBL{1_000_000 + task}" for task in range(TASKS)]
    scaffolds = rng.integers(0, MOLECULES // 3, MOLECULES).astype(str)
    items = {"item_id": range(MOLECULES), "source_id": None, "level": "molecule", "parent": None}
    own = {"smiles": "C", "n_heavy_atoms": 20, "mol_weight": 300.0, "scaffold": scaffolds}
    tables = {
        "items": pd.DataFrame({**items, **own}),
        "rejected": empty_table("rejected"),
        "tasks": with_counts(
            completed_tasks(pd.DataFrame({"task_id": names, "name": names}), "molecule"), column, values
        ),
        "labels": pd.DataFrame(
            {
                "item_id": row,
                "task_id": pd.Categorical.from_codes(column, pd.Index(names)),
                "value": values,
                "bound": pd.Categorical.from_codes(np.zeros(len(row), np.int8), pd.Index(["="])),
            }
        ),
        "classes": empty_table("classes"),
    }
    for name, table in tables.items():
        write_table(name, table, folder / f"{name}.parquet")
    write_json(folder / "counts.json", {})


def write_predictions(folder: Path) -> None:
    """Write a plan of five runs beside the labels, and predictions of a fifth of them by each run."""
    labels = read_table("labels", folder / "labels.parquet")
    run = np.arange(len(labels)) * RUNS // len(labels)
    runs = pd.Index([f"run{number}" for number in range(RUNS)])
    predictions = labels.assign(
        run_id=pd.Categorical.from_codes(run, runs),
        fold=pd.Categorical.from_codes(np.arange(len(labels)) % 2, pd.Index(["valid", "test"])),
        label=labels["value"],
        score=np.random.default_rng(1).random(len(labels), np.float32),
    )
    write_table("predictions", predictions, folder / "predictions.parquet")
    plan = pd.DataFrame({"run_id": runs, "collection": None, "dataset": "data"})
    plan.to_parquet(folder / "plan.parquet")


def steps(source: Path, data: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield (name, command) of every step, each after those it needs."""
    densify = json.dumps({"tau": 1, "min_positives": 1, "min_negatives": 1, "drop_isolated": False})
    yield "densify_dataset", step_command(
        "densify_dataset", "--source-dir", source, "--densify-config", densify, "--out-dir", data
    )  # fmt: skip
    for scheme in SCHEMES:
        yield f"split_items {scheme}", step_command(
            "split_items", "--items", data / "items.parquet", "--labels", data / "labels.parquet",
            "--scheme", scheme, "--seed", "0", "--out", data / "splits" / f"{scheme}-0.parquet",
        )  # fmt: skip
    for scheme in ("random", "masked", "cells"):
        yield f"load {scheme}", [sys.executable, "-c", LOAD, str(data), f"{scheme}-0"]
    yield "evaluate_runs", step_command(
        "evaluate_runs", "--plan", source / "plan.parquet", "--predictions", source / "predictions.parquet",
        "--tasks", data / "tasks.parquet", "--metrics-list", "roc_auc", "--out", data / "metrics.parquet",
    )  # fmt: skip


def main() -> None:
    """Measure and print, in a folder that is removed afterwards."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="all numbers of labels")
    parser.add_argument("--tries", type=int, default=1, help="of each step; the least counts")
    arguments, _ = parser.parse_known_args()
    print(hardware())
    for n_labels in FULL if arguments.full else FULL[:1]:
        with tempfile.TemporaryDirectory() as folder:
            source, data = Path(folder) / "source", Path(folder) / "data"
            cost_of([sys.executable, "-c", WRITE, source, str(n_labels)])
            for name, command in steps(source, data):
                cost = least([cost_of(command) for _ in range(arguments.tries)])
                print(f"{n_labels:10,d} {name:28} {cost.cpu:8.2f} CPU-s {cost.megabytes:7.0f} MB", flush=True)


if __name__ == "__main__":
    main()
