"""Write what a study predicts on a data set with names: SMILES, task, method, split and seed in each row.

Example:
  relatask describe_predictions --study results/mine --dataset assays \\
    --out results/mine/tables/predictions-assays.parquet results/mine/tables/predictions-assays.csv
"""

import argparse
from pathlib import Path

from relatask.core.csv_files import write_csv
from relatask.core.tables import write_batches
from relatask.publishing.described_predictions import NAME, batch_of, described_predictions


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FOLDER", help="its folder of results")
    parser.add_argument("--dataset", required=True, metavar="NAME")
    parser.add_argument(
        "--out", required=True, nargs="+", type=Path, metavar="FILE", help="each .parquet or .csv"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write each file."""
    for out in arguments.out:
        frames = described_predictions(arguments.study, arguments.dataset)
        if out.suffix == ".csv":
            write_csv(frames, out)
        else:
            write_batches(NAME, map(batch_of, frames), out)
