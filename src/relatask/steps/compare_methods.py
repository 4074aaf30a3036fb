"""Average metrics over tasks and seeds and compare methods with the baseline and in further pairs.

Writes the mean and spread of every (data set, split, method, fold, metric) with its delta to the baseline,
intervals of differences on the test fold, for which a split is one look, and the cells of the test fold, by
which a reader can compare anew.

Example:
  relatask compare_methods --study results/demo --out-summary results/demo/summary.parquet \\
    --out-comparisons results/demo/comparisons.parquet --out-cells results/demo/cells.parquet
"""

import argparse
import logging
from pathlib import Path

from relatask.config import read_study
from relatask.core.files import require_recorded
from relatask.core.layout import dataset_file, in_dataset, in_study
from relatask.core.tables import read_table, write_table
from relatask.evaluation.aggregate import (
    join_plan,
    mixed_units,
    published_cells,
    runs_of,
    summarise,
    trainings,
    without_mean,
)
from relatask.evaluation.comparisons import compare
from relatask.evaluation.looks import looks_of
from relatask.evaluation.metrics import METRICS


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FOLDER", help="its folder of results")
    parser.add_argument("--out-summary", required=True, type=Path, metavar="FILE")
    parser.add_argument("--out-comparisons", required=True, type=Path, metavar="FILE")
    parser.add_argument("--out-cells", required=True, type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Write the summary and the comparisons."""
    folder = arguments.study
    chosen = read_study(folder / in_study("study"))
    study, baseline = chosen.study, str(chosen.study.baseline)
    plan = runs_of(read_table("plan", folder / in_study("plan")), None)
    metrics = read_table("metrics", folder / in_study("metrics"))
    cells = join_plan(plan, metrics)
    tables = {name: folder.parent / dataset_file("tasks", folder.name, name) for name in study.datasets}
    mixed = [name for name, path in tables.items() if _mixes_units(path)]
    looks = looks_of(folder.parent, chosen)
    summary = summarise(cells, baseline, mixed)
    comparisons = compare(
        looks.once(cells[~without_mean(cells, mixed)]),
        baseline,
        study.pairs,
        test_to_train=looks.test_to_train,
        margins={name: study.margins.get(name, METRICS[name].margin) for name in study.metrics},
    )
    write_table("summary", summary, arguments.out_summary)
    write_table("comparisons", comparisons, arguments.out_comparisons)
    write_table("cells", published_cells(trainings(plan, metrics)), arguments.out_cells)
    told = comparisons["verdict"].value_counts()
    logging.info(
        "%s: %d means, %d comparisons (baseline %s): %s",
        *(arguments.out_summary, len(summary), len(comparisons), baseline),
        ", ".join(f"{count} {word}" for word, count in told.items()) or "none",
    )


def _mixes_units(path: Path) -> bool:
    """Whether the measured values of a data set's tasks are in several units."""
    require_recorded(path.with_name(in_dataset("dataset")), path)
    return mixed_units(read_table("tasks", path, ["kind", "unit"]))
