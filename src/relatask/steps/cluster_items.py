"""Put molecules into clusters by their fingerprints, once for all splits that keep clusters together.

Example:
    relatask cluster_items --items results/mine/data/assays/items.parquet --cutoff 0.4 \\
        --out results/mine/data/assays/clusters/0.4.parquet
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.core.tables import read_plain, write_table
from relatask.data.clusters import cluster_molecules


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--items", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--cutoff", type=float, required=True, help="greatest Tanimoto distance of two neighbours"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    items = read_plain("items", arguments.items)
    items = items[items["parent"].isna()].reset_index(drop=True)
    cluster = cluster_molecules(items, arguments.cutoff)
    write_table("clusters", pd.DataFrame({"item_id": items["item_id"], "cluster": cluster}), arguments.out)
    sizes = np.bincount(cluster)
    logging.info(
        "%d molecules in %d clusters; the largest holds %d, and %d hold one.",
        len(items),
        len(sizes),
        sizes.max(),
        int((sizes == 1).sum()),
    )
