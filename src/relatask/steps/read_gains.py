"""Read gains of task sets that the authors of MTG-Net collected, and the affinities of TAG among them.

Example:
  relatask read_gains --folder results/raw/mtg_net --collection taskonomy \\
    --out-gains results/mtg_published/gains/taskonomy.parquet \\
    --out-affinities results/mtg_published/affinities/taskonomy.parquet
"""

import argparse
import logging
from pathlib import Path

from relatask.core.tables import write_table
from relatask.grouping.averages import pairs_of_estimate
from relatask.grouping.collect import gains_frame
from relatask.grouping.published_gains import FILES, METRIC, read_published
from relatask.grouping.tables import affinities_frame


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--folder", required=True, type=Path, metavar="DIR", help="holds the authors' files")
    parser.add_argument("--collection", required=True, choices=list(FILES), help="which of their tables")
    parser.add_argument("--out-gains", required=True, type=Path, metavar="FILE", help="table gains")
    parser.add_argument("--out-affinities", required=True, type=Path, metavar="FILE", help="table affinities")


def run(arguments: argparse.Namespace) -> None:
    """Read and write one collection."""
    gains, estimates = read_published(arguments.folder, arguments.collection)
    write_table("gains", gains_frame(gains, METRIC[arguments.collection]), arguments.out_gains)
    affinities = pairs_of_estimate(estimates["tag"], gains.sets)
    write_table("affinities", affinities_frame(affinities, gains.tasks), arguments.out_affinities)
    logging.info("%s: %d task sets of %d tasks", arguments.out_gains, len(gains.sets), len(gains.tasks))
