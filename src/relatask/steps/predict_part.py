"""Predict one of several parts of a file by a trained model; `relatask predict` is for people.

Example:
    relatask predict_part --model models/assays --file new.csv --part 3/16 --out predictions/00003.csv
"""

import argparse
from pathlib import Path

from relatask.core.options import part_option, positive_option
from relatask.predicting.prediction import Job, predict_file


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--model", required=True, type=Path, metavar="FILE", help="its model.json or ensemble.json"
    )
    parser.add_argument("--file", required=True, type=Path, metavar="FILE", help="with the items")
    parser.add_argument("--part", required=True, type=part_option, metavar="K/N")
    parser.add_argument("--threads", type=positive_option, default=1, metavar="N", help="processes")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    model, part, n_workers = arguments.model.parent, arguments.part, arguments.threads
    predict_file(Job(model, arguments.file, arguments.out, part=part, n_workers=n_workers))
