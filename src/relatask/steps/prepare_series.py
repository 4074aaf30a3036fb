"""Make a data set of series: points in time, standardised values, and folds that follow each other.

Example:
  relatask prepare_series --name ettm1 --source-config '{"reader": "series"}' --raw results/raw/ettm1 \\
    --fractions 0.6 0.2 0.2 --seeds 0 1 2 --out-dir results/ettm1
"""

import argparse
import json
import logging
from pathlib import Path

from relatask.config import SourceConfig, parse
from relatask.sources.readers import only_table
from relatask.sources.series import read_series, write_series


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--name", required=True, help="key of the source, for messages")
    parser.add_argument("--source-config", required=True, metavar="JSON", help="the source's block")
    parser.add_argument("--raw", required=True, type=Path, metavar="DIR", help="folder of its raw files")
    parser.add_argument("--fractions", required=True, type=float, nargs=3, metavar=("TRAIN", "VALID", "TEST"))
    parser.add_argument(
        "--seeds", required=True, type=int, nargs="+", metavar="SEED", help="a split for each"
    )
    parser.add_argument("--out-dir", required=True, type=Path, metavar="DIR", help="results/DATASET")


def run(arguments: argparse.Namespace) -> None:
    """Read, split, standardise and write."""
    config = parse(SourceConfig, json.loads(arguments.source_config), f"sources.{arguments.name}")
    path = Path(config.path) if config.path else only_table(arguments.raw, arguments.name)
    times, names, values = read_series(path, config)
    train, valid, test = arguments.fractions
    write_series(times, names, values, (train, valid, test), arguments.seeds, arguments.out_dir)
    logging.info("%s: %d points in time, %d series", arguments.out_dir, len(times), len(names))
