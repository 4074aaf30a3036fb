"""Make the planted data of the demo: molecules, assays and protein interactions with known truth.

Writes molecules.csv (SMILES x tasks, empty = not measured), tasks.csv (proteins of the tasks),
string_links.txt (interactions in STRING's form) and truth.json (families, rules, noise). The same seed
gives the same bytes.

Example:
  relatask plant_data --seed 0 --molecules 2000 --out-dir results/raw/planted
"""

import argparse
import logging
from pathlib import Path

from relatask.sources.planted.folder import plant
from relatask.sources.planted.labels import FAMILY_PART


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--seed", type=int, default=0, help="seed of everything drawn (default: 0)")
    parser.add_argument("--molecules", type=int, default=2000, help="how many molecules (default: 2000)")
    parser.add_argument(
        "--family-part",
        type=float,
        default=FAMILY_PART,
        metavar="SHARE",
        help="part of the variance of activity that a family's proteins share (default: %(default)s)",
    )
    parser.add_argument(
        "--wrong-links",
        type=float,
        metavar="SHARE",
        help="share of the related pairs whose interaction is given to unrelated ones (default: a few pairs)",
    )
    parser.add_argument(
        "--unrelated",
        action="store_true",
        help="the negative control: interactions are true of proteins and say nothing of labels",
    )
    parser.add_argument("--out-dir", required=True, type=Path, metavar="DIR", help="folder of the raw files")


def run(arguments: argparse.Namespace) -> None:
    """Write the planted data."""
    truth = plant(
        arguments.out_dir,
        arguments.seed,
        arguments.molecules,
        arguments.family_part,
        arguments.wrong_links,
        arguments.unrelated,
    )
    logging.info(
        "%s: %d molecules, %d tasks, %.1f %% of cells missing, %.1f %% of labels turned over by noise",
        arguments.out_dir,
        truth["molecules"],
        len(truth["tasks"]),
        100 * truth["missing_share"],
        100 * truth["noise"]["flipped_labels"],
    )
