"""Estimate the gains of all task sets of a collection by one strategy.

Example:
  relatask estimate_gains --study results/mine/study.json --collection ettm1 --strategy MTG \\
    --gains results/mine/gains/ettm1.parquet \\
    --out results/mine/estimates/ettm1/MTG.parquet
"""

import argparse
import logging
import sys
import time
from pathlib import Path

from relatask.config import read_study
from relatask.core.tables import read_table, write_table
from relatask.grouping.collect import gain_table
from relatask.grouping.estimate import estimate_gains, load_estimator
from relatask.grouping.tables import estimates_frame, read_pairs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FILE", help="the study.json")
    parser.add_argument("--collection", required=True, metavar="NAME", help="a key of grouping.gains")
    parser.add_argument("--strategy", required=True, metavar="LABEL", help="one of grouping.strategies")
    parser.add_argument("--gains", required=True, type=Path, metavar="FILE", help="table gains")
    parser.add_argument("--affinities", type=Path, metavar="FILE", help="table affinities")
    parser.add_argument("--relations", type=Path, metavar="FILE", help="table relations of the data set")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="table estimates")


def run(arguments: argparse.Namespace) -> None:
    """Estimate and write."""
    started = time.monotonic()
    grouping = read_study(arguments.study).study.required_grouping()
    strategy = grouping.strategy(arguments.strategy)
    gains = gain_table(
        read_table("gains", arguments.gains), grouping.collection(arguments.collection).task_ids
    )
    pairs = {
        "affinities": arguments.affinities and read_pairs("affinities", arguments.affinities, gains.tasks),
        "relations": arguments.relations and read_pairs("relations", arguments.relations, gains.tasks),
    }
    load_estimator(strategy)
    if "torch" in sys.modules:  # of an estimator that learns
        sys.modules["torch"].set_num_threads(arguments.threads)
    estimates = estimate_gains(strategy, gains, grouping.seeds, **pairs, held_out=grouping.held_out)
    found = estimates_frame(strategy.label, gains, estimates)
    write_table("estimates", found, arguments.out)
    logging.info("%s: %d estimates in %.1f s", arguments.out, len(found), time.monotonic() - started)
