"""Compute metrics of every run, task and fold from the saved predictions.

A metric that is not defined (a class, or every label, is missing) is null and the row says why.

Example:
  relatask evaluate_runs --plan results/demo/plan.parquet --predictions results/demo/predictions.parquet \\
    --tasks results/demo/data/planted/tasks.parquet --metrics-list roc_auc brier \\
    --out results/demo/metrics.parquet
"""

import argparse
import logging
import time
from pathlib import Path

from relatask.core.files import require_recorded
from relatask.core.kinds import Kind
from relatask.core.layout import in_dataset
from relatask.core.tables import read_batches, read_table, write_table
from relatask.evaluation.aggregate import runs_of
from relatask.evaluation.metrics import METRICS
from relatask.evaluation.metrics_table import evaluate_batches


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help="table plan of the study")
    parser.add_argument("--collection", metavar="NAME", help="runs of these gains; default: those of tables")
    parser.add_argument("--predictions", required=True, type=Path, metavar="FILE", help="merged predictions")
    parser.add_argument(
        "--tasks", required=True, nargs="+", type=Path, metavar="FILE", help="tables tasks of the data sets"
    )
    parser.add_argument("--metrics-list", required=True, nargs="+", choices=list(METRICS), metavar="METRIC")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="table metrics")


def run(arguments: argparse.Namespace) -> None:
    """Read the predictions run by run and write their metrics."""
    started = time.monotonic()
    plan = read_table("plan", arguments.plan, ["run_id", "collection", "dataset"])
    runs = runs_of(plan, arguments.collection)
    planned = runs["run_id"].tolist()
    of_dataset = {path.parent.name: _kinds(path) for path in arguments.tasks}
    kinds = {run_id: of_dataset[name] for run_id, name in zip(planned, runs["dataset"], strict=True)}
    batches = read_batches("predictions", arguments.predictions, by="run_id")
    table, empty = evaluate_batches(batches, arguments.metrics_list, planned, kinds)
    write_table("metrics", table, arguments.out)
    if empty:
        logging.warning(
            "%d of %d runs have no labelled cell to evaluate, e.g. %s", len(empty), len(planned), empty[0]
        )
    logging.info(
        "%s: %d values of %d runs, %d undefined, in %.1f s",
        arguments.out,
        len(table),
        len(planned) - len(empty),
        table["value"].isna().sum(),
        time.monotonic() - started,
    )


def _kinds(path: Path) -> dict[str, Kind]:
    """Task id -> kind of a data set's tasks."""
    require_recorded(path.with_name(in_dataset("dataset")), path)
    tasks = read_table("tasks", path, ["task_id", "kind"])
    return dict(zip(tasks["task_id"], tasks["kind"], strict=True))
