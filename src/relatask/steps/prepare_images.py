"""Make a data set of images and the categories that are in them, or the one class that each has.

Example:
  relatask prepare_images --name coco --source-config '{"reader": "coco", "path": "coco"}' \\
    --scheme given --fractions 0.8 0.1 0.1 --seeds 0 1 2 --out-dir results/coco
"""

import argparse
import json
import logging
from pathlib import Path

from relatask.config import SourceConfig, parse
from relatask.core.errors import RelataskError
from relatask.sources.images.image_sources import write_image_data


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--name", required=True, help="key of the source, for messages")
    parser.add_argument("--source-config", required=True, metavar="JSON", help="the source's block")
    parser.add_argument("--raw", type=Path, metavar="DIR", help="folder of raw files, where there is no path")
    parser.add_argument("--scheme", required=True, choices=["given", "grouped"])
    parser.add_argument("--fractions", required=True, type=float, nargs=3, metavar=("TRAIN", "VALID", "TEST"))
    parser.add_argument(
        "--seeds", required=True, type=int, nargs="+", metavar="SEED", help="a split for each"
    )
    parser.add_argument("--out-dir", required=True, type=Path, metavar="DIR", help="results/DATASET")


def run(arguments: argparse.Namespace) -> None:
    """Decode, split and write."""
    config = parse(SourceConfig, json.loads(arguments.source_config), f"sources.{arguments.name}")
    train, valid, test = arguments.fractions
    if config.path is None and arguments.raw is None:
        raise RelataskError(
            f"sources.{arguments.name}: give `path`, or the folder of its raw files with --raw."
        )
    counts = write_image_data(
        config, arguments.raw, arguments.scheme, (train, valid, test), arguments.seeds, arguments.out_dir
    )
    logging.info("%s: %d images, %d tasks", arguments.out_dir, counts["molecules"], counts["tasks"])
