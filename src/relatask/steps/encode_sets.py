"""Lay out what MTG-Net makes of task sets: t-SNE of its encodings of a few tasks.

Example:
  relatask encode_sets --gains results/mine/gains/ettm1.parquet --tasks HUFL HULL MUFL --seed 0 \\
    --strategy '{"label": "MTG", "estimator": "mtg_net", "rounds": [1, "pairs"]}' \\
    --out results/mine/encodings/ettm1.parquet
"""

import argparse
import json
import logging
from pathlib import Path

from relatask.config import StrategyConfig, parse
from relatask.core.tables import read_table, write_table
from relatask.grouping.collect import gain_table
from relatask.grouping.encodings import encoding_points
from relatask.grouping.estimate import snapshots_of
from relatask.grouping.tables import read_pairs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--gains", required=True, type=Path, metavar="FILE", help="table gains")
    parser.add_argument("--tasks", required=True, nargs="+", metavar="TASK", help="in the order of the study")
    parser.add_argument("--strategy", required=True, metavar="JSON", help="as in the study file")
    parser.add_argument("--seed", required=True, type=int, help="of the choices, the network and the layout")
    parser.add_argument("--relations", type=Path, metavar="FILE", help="table relations of the data set")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="table encodings")


def run(arguments: argparse.Namespace) -> None:
    """Learn again as the strategy does, encode, and lay out."""
    import torch

    torch.set_num_threads(1)
    strategy = parse(StrategyConfig, json.loads(arguments.strategy), "--strategy")
    gains = gain_table(read_table("gains", arguments.gains), arguments.tasks)
    relations = arguments.relations and read_pairs("relations", arguments.relations, gains.tasks)
    table = encoding_points(
        gains, list(snapshots_of(strategy, gains, arguments.seed, relations)), arguments.seed
    )
    write_table("encodings", table, arguments.out)
    logging.info("%s: %d points", arguments.out, len(table))
