"""Merge journalled runs into one table each of predictions, histories and costs.

Those of the tables of a study, or of one of its collections of gains.

Example:
  relatask merge_runs --plan results/demo/plan.parquet --runs results/demo/runs \\
    --out-predictions predictions.parquet --out-history history.parquet --out-costs costs.parquet
"""

import argparse
from pathlib import Path

from relatask.core.tables import read_table
from relatask.evaluation.aggregate import runs_of
from relatask.journal.merge import merge_runs


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the step's arguments."""
    parser.add_argument("--plan", required=True, type=Path)
    parser.add_argument("--collection", metavar="NAME", help="runs of these gains; default: those of tables")
    parser.add_argument(
        "--runs", required=True, type=Path, help="results/STUDY/runs, with the data sets beside it"
    )
    parser.add_argument("--out-saved", type=Path, metavar="FOLDER", help="for tables of methods' own")
    for name in ("predictions", "history", "costs"):
        parser.add_argument(f"--out-{name}", required=True, type=Path)


def run(arguments: argparse.Namespace) -> None:
    """Merge; a planned run that is missing is named."""
    out = {
        "predictions": arguments.out_predictions,
        "history": arguments.out_history,
        "costs": arguments.out_costs,
    }
    plan = runs_of(read_table("plan", arguments.plan), arguments.collection)
    merge_runs(plan, arguments.runs, out, arguments.out_saved, arguments.runs.parent)
