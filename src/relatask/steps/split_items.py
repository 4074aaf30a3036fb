"""Split the items of a data set, or their labels, into train, valid and test by a scheme of data/splits.

Writes the folds as Parquet, and beside it a JSON file with scheme, seed, options, counts per fold (also of
tasks that have both classes there), a digest of the folds and one of the Parquet file.

Example:
    relatask split_items --items results/mine/data/assays/items.parquet \\
        --labels results/mine/data/assays/labels.parquet --scheme scaffold --seed 0 \\
        --fractions 0.8 0.1 0.1 --out results/mine/data/assays/splits/scaffold-0.parquet
"""

import argparse
import json
import logging
from pathlib import Path

from relatask.core.files import digests_of, write_json
from relatask.core.tables import read_plain, read_table, write_table
from relatask.data.splits import describe_split, split_items


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--items", type=Path, required=True, metavar="FILE")
    parser.add_argument("--labels", type=Path, required=True, metavar="FILE")
    parser.add_argument("--scheme", required=True, help="a file of relatask.data.splits, e.g. scaffold")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument(
        "--fractions", type=float, nargs=3, default=[0.8, 0.1, 0.1], metavar=("TRAIN", "VALID", "TEST")
    )
    parser.add_argument(
        "--options", type=json.loads, default={}, metavar="JSON", help="options of the scheme"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JSON goes beside it")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    items, labels = read_plain("items", arguments.items), read_table("labels", arguments.labels)
    train, valid, test = arguments.fractions
    scheme, seed, fractions = arguments.scheme, arguments.seed, (train, valid, test)
    split = split_items(items, labels, scheme, seed, fractions, arguments.options)
    record = {"scheme": scheme, "seed": seed, "fractions": fractions, **describe_split(split, labels)}
    if arguments.options:
        record["options"] = arguments.options
    write_table("split", split, arguments.out)
    record["files"] = digests_of(arguments.out)
    write_json(arguments.out.with_suffix(".json"), record)
    for fold, counts in record["folds"].items():
        logging.info(
            "%s: %d items, %d of %d tasks have both classes.",
            fold,
            counts["items"],
            counts["tasks_with_both_classes"],
            record["tasks"],
        )
