"""Compute atom, bond and fingerprint features of a data set's molecules.

Writes flat .npy arrays that training maps into memory, and features.json with counts and a digest.

Example:
    relatask featurise_molecules --items results/mine/items.parquet --out-dir results/mine/features
"""

import argparse
import logging
from pathlib import Path

from relatask.core.tables import read_table
from relatask.inputs.features import write_features


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--items", type=Path, required=True, metavar="FILE")
    parser.add_argument("--out-dir", type=Path, required=True, metavar="DIR")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    smiles = read_table("items", arguments.items, columns=["smiles"]).smiles
    record = write_features(smiles, arguments.out_dir, total=len(smiles))
    logging.info(
        "%d molecules, %d atoms, %d directed bonds.",
        record["molecules"],
        record["atoms"],
        record["directed_bonds"],
    )
    if record["unknown_atoms"] or record["other_bonds"]:
        logging.info(
            "%d atoms of no element (*) share one entry; %d bonds of rare types are stored as single.",
            record["unknown_atoms"],
            record["other_bonds"],
        )
