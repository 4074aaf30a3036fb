"""Draw the figures of a study: overview, tasks, learning curves, label density, relation graph.

Each figure becomes NAME.png, NAME.svg and NAME.parquet (the numbers that were drawn) in the output folder.

Example:
    relatask draw_figures --plan results/demo/plan.parquet --metrics results/demo/metrics.parquet \
        --history results/demo/history.parquet --results results --baseline STL_MLP \
        --figures overview per_task-planted --out-dir results/demo/figures
"""

import argparse
import json
from pathlib import Path

from relatask.core.tables import read_table
from relatask.evaluation.aggregate import runs_of
from relatask.publishing.figures import Inputs, draw_figures


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the step's files and options."""
    parser.add_argument("--plan", required=True, type=Path, metavar="FILE")
    parser.add_argument("--metrics", required=True, type=Path, metavar="FILE")
    parser.add_argument("--history", required=True, type=Path, metavar="FILE")
    parser.add_argument(
        "--results", required=True, type=Path, metavar="DIR", help="holds a folder per data set"
    )
    parser.add_argument(
        "--baseline", required=True, metavar="LABEL", help="method that others are compared with"
    )
    parser.add_argument(
        "--metric", default="roc_auc", help="metric of the test fold to draw (default: roc_auc)"
    )
    parser.add_argument(
        "--figures", required=True, nargs="+", metavar="NAME", help="what to draw, e.g. per_task-tox21"
    )
    parser.add_argument(
        "--wholes",
        default="{}",
        metavar="JSON",
        help="data set -> items of the whole; figures of much smaller ones are marked as of a smoke run",
    )
    parser.add_argument("--out-dir", required=True, type=Path, metavar="DIR")


def run(arguments: argparse.Namespace) -> None:
    """Read the tables and draw."""
    plan = runs_of(read_table("plan", arguments.plan), None)
    metrics = read_table("metrics", arguments.metrics)
    history = read_table("history", arguments.history)
    inputs = Inputs(
        plan=plan,
        metrics=metrics,
        history=history[history["run_id"].isin(plan["run_id"])],
        results=arguments.results,
        baseline=arguments.baseline,
        metric=arguments.metric,
        wholes=json.loads(arguments.wholes),
    )
    draw_figures(inputs, arguments.figures, arguments.out_dir)
