"""Make what encoders read of the items of a data set: the arrays of one or several inputs.

Writes flat .npy arrays that training maps into memory, and features.json with counts, inputs and digests.

Example:
    relatask featurise_items --items results/mine/data/assays/items.parquet --inputs graph ecfp \\
        --out-dir results/mine/data/assays/features
"""

import argparse
import logging
from pathlib import Path

from tqdm import tqdm

from relatask.core.tables import read_chunks
from relatask.inputs import arrays


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--items", type=Path, required=True, metavar="FILE")
    parser.add_argument("--inputs", required=True, nargs="+", metavar="NAME", help="files of relatask.inputs")
    parser.add_argument("--out-dir", type=Path, required=True, metavar="DIR")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    chunks = read_chunks("items", arguments.items, arrays.CHUNK)
    progress = tqdm(chunks, desc="features", unit=f"x{arrays.CHUNK}", disable=None, leave=False)
    record = arrays.write_features(progress, arguments.inputs, arguments.out_dir)
    logging.info("%d items as %s.", record["items"], " and ".join(arguments.inputs))
    if record.get("unknown_atoms") or record.get("other_bonds"):
        logging.info(
            "%d atoms of no element (*) share one entry; %d bonds of rare types are stored as single.",
            record["unknown_atoms"],
            record["other_bonds"],
        )
