"""Turn the metrics of task-set runs into gains: each task of a set against itself alone.

Example:
  relatask collect_gains --plan results/mine/plan.parquet --metrics results/mine/metrics.parquet \\
    --collection sider27 --metric roc_auc --out results/mine/gains/sider27.parquet
"""

import argparse
import logging
from pathlib import Path

from relatask.core.tables import read_table, write_table
from relatask.evaluation.aggregate import runs_of
from relatask.evaluation.metrics import METRICS
from relatask.grouping.collect import collect_gains


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help="table plan of the study")
    parser.add_argument("--metrics", required=True, type=Path, metavar="FILE", help="table metrics")
    parser.add_argument("--collection", required=True, metavar="NAME", help="a key of grouping.gains")
    parser.add_argument("--metric", required=True, choices=list(METRICS), help="what gains are made of")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="table gains")


def run(arguments: argparse.Namespace) -> None:
    """Collect the gains of one collection."""
    plan = read_table("plan", arguments.plan, ["run_id", "tasks", "seed", "collection"])
    plan = runs_of(plan, arguments.collection)
    lower = not METRICS[arguments.metric].higher_is_better
    gains = collect_gains(plan, read_table("metrics", arguments.metrics), arguments.metric, lower)
    write_table("gains", gains, arguments.out)
    logging.info("%s: %d task sets, %d gains", arguments.out, gains["task_set_id"].nunique(), len(gains))
