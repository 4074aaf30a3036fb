"""Count the test molecules of each split that stand in training too, or nearly.

Writes table "leaks", a row for each split of items; splits of labels have none, as each of their molecules
is in training on purpose. Table "similarity" says how near each test molecule is to training.

Example:
    relatask check_leaks --dataset assays --items results/mine/data/assays/items.parquet \\
        --labels results/mine/data/assays/labels.parquet --features results/mine/data/assays/features \\
        --splits results/mine/data/assays/splits/scaffold-0.parquet --out results/mine/leaks/assays.parquet \\
        --similarity results/mine/similarity/assays.parquet
"""

import argparse
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.columns.data import DATA
from relatask.core.tables import read_plain, read_table, write_table
from relatask.data.leaks import leaks_of, similarity_to_training, skeletons
from relatask.inputs.arrays import read_array


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--dataset", required=True, metavar="NAME")
    parser.add_argument("--items", type=Path, required=True, metavar="FILE")
    parser.add_argument("--labels", type=Path, required=True, metavar="FILE")
    parser.add_argument("--splits", type=Path, required=True, nargs="+", metavar="FILE")
    parser.add_argument("--features", type=Path, required=True, metavar="DIR", help="with the input ecfp")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="table leaks")
    parser.add_argument("--similarity", type=Path, required=True, metavar="FILE", help="table similarity")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    items, labels = read_plain("items", arguments.items), read_table("labels", arguments.labels)
    packed = np.array(read_array(arguments.features / "ecfp4.npy"))
    skeleton = skeletons(items["smiles"])
    rows: list[dict[str, Any]] = []
    near = [pd.DataFrame(columns=list(DATA["similarity"]))]
    for path in arguments.splits:
        scheme, _, seed = path.stem.rpartition("-")
        split = read_table("split", path)
        similarity = similarity_to_training(split, items, packed)
        found = leaks_of(split, items, labels, similarity, skeleton)
        own = {"split": scheme, "seed": int(seed), "item_id": similarity.index}
        near.append(pd.DataFrame({**own, "similarity": similarity.to_numpy()}))
        if found is not None:
            rows.append({"dataset": arguments.dataset, "split": scheme, "seed": int(seed), **found})
            logging.info(
                "%s: %d of %d test molecules have a near twin in training, %d of %d test labels are "
                "repeated.",
                path.stem,
                found["near_twins"],
                found["compared"],
                found["repeated_labels"],
                found["test_labels"],
            )
    write_table("leaks", pd.DataFrame(rows, columns=list(DATA["leaks"])), arguments.out)
    write_table("similarity", pd.concat(near, ignore_index=True), arguments.similarity)
