"""Lay out what MTG-Net makes of task sets: t-SNE of its encodings of a few tasks.

Example:
  relatask encode_sets --study results/mine/study.json --collection ettm1 \\
    --gains results/mine/gains/ettm1.parquet \\
    --out results/mine/encodings/ettm1.parquet
"""

import argparse
import logging
from pathlib import Path

from relatask.config import encoded_strategy, read_study
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table, write_table
from relatask.grouping.collect import gain_table
from relatask.grouping.encodings import encoding_points
from relatask.grouping.estimate import load_estimator, request_of
from relatask.grouping.tables import read_pairs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FILE", help="the study.json")
    parser.add_argument("--collection", required=True, metavar="NAME", help="a key of grouping.gains")
    parser.add_argument("--gains", required=True, type=Path, metavar="FILE", help="table gains")
    parser.add_argument("--relations", type=Path, metavar="FILE", help="table relations of the data set")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="table encodings")


def run(arguments: argparse.Namespace) -> None:
    """Learn again as the strategy does, encode, and lay out."""
    import torch

    torch.set_num_threads(1)
    study = read_study(arguments.study).study
    grouping = study.required_grouping()
    strategy = encoded_strategy(study, arguments.collection)
    if strategy is None:
        raise RelataskError(
            f"--collection: no strategy has encodings of the sets of {arguments.collection!r}."
        )
    seed = grouping.seeds[0]
    gains = gain_table(
        read_table("gains", arguments.gains), grouping.collection(arguments.collection).task_ids
    )
    relations = arguments.relations and read_pairs("relations", arguments.relations, gains.tasks)
    snapshots = load_estimator(strategy).snapshots
    request = request_of(strategy, gains, seed, relations=relations, held_out=grouping.held_out)
    table = encoding_points(gains, list(snapshots(request)), seed)
    write_table("encodings", table, arguments.out)
    logging.info("%s: %d points", arguments.out, len(table))
