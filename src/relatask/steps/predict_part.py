"""Predict a part that `relatask scatter_rows` made of a file; `relatask predict` is for people.

Example:
    relatask predict_part --model models/assays/ensemble.json --record new-parts/of-00003.json \
        --rows new-parts/00002-of-00003.rows.parquet --out new-parts/00002-of-00003.csv
"""

import argparse
from pathlib import Path

from relatask.core.files import read_fields
from relatask.core.options import positive_option
from relatask.predicting.prediction import Job, predict_file


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--model", required=True, type=Path, metavar="FILE", help="its model.json or ensemble.json"
    )
    parser.add_argument("--record", required=True, type=Path, metavar="FILE", help="of all parts")
    parser.add_argument("--rows", required=True, type=Path, metavar="FILE", help="the part")
    parser.add_argument("--known", type=Path, metavar="FILE", help="results that are known")
    parser.add_argument("--threads", type=positive_option, default=1, metavar="N", help="processes")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    column = read_fields(arguments.record, column=str)["column"]
    predict_file(
        Job(
            *(arguments.model.parent, arguments.rows, arguments.out, column),
            n_workers=arguments.threads,
            known=arguments.known,
        )
    )
