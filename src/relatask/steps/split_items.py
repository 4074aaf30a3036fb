"""Split the items of a data set, or their labels, into train, valid and test by a scheme of data/splits.

Writes the folds as Parquet, and beside it a JSON file with scheme, seed, options, counts per fold (also of
tasks that have both classes there), what the scheme says of the split, a digest of the folds and one of the
Parquet file.

Example:
    relatask split_items --items results/mine/data/assays/items.parquet \\
        --labels results/mine/data/assays/labels.parquet --scheme scaffold --seed 0 \\
        --fractions 0.8 0.1 0.1 --out results/mine/data/assays/splits/scaffold-0.parquet
"""

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.files import digests_of, write_json
from relatask.core.tables import read_plain, read_table, write_table
from relatask.data.splits import describe_split, split_items
from relatask.sources.fold_files import read_fold_file


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
    parser.add_argument(
        "--rows", type=Path, metavar="FILE", help="rows of the source, for schemes that read them"
    )
    parser.add_argument(
        "--clusters",
        type=Path,
        metavar="FILE",
        help="clusters of the items, for schemes that keep them together",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JSON goes beside it")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    items, labels = read_plain("items", arguments.items), read_table("labels", arguments.labels)
    train, valid, test = arguments.fractions
    scheme, seed, fractions = arguments.scheme, arguments.seed, (train, valid, test)
    if arguments.clusters:
        items = items.merge(read_table("clusters", arguments.clusters), on="item_id", how="left")
    given = _rows(arguments, items) if arguments.rows else {}
    split = split_items(items, labels, scheme, seed, fractions, arguments.options, given)
    record = {"scheme": scheme, "seed": seed, "fractions": fractions, **describe_split(split, labels)}
    if arguments.options:
        record["options"] = arguments.options
    write_table("split", split, arguments.out)
    record["files"] = digests_of(arguments.out)
    write_json(arguments.out.with_suffix(".json"), record)
    for fact, value in record.get("facts", {}).items():
        logging.info("%s: %s", fact.replace("_", " "), value)
    if hidden := record.get("hidden_items"):
        logging.info("%d items are in no fold; their fold in %s is hidden.", hidden, arguments.out)
    for fold, counts in record["folds"].items():
        logging.info(
            "%s: %d items, %d of %d tasks have both classes.",
            fold,
            counts["items"],
            counts["tasks_with_both_classes"],
            record["tasks"],
        )


def _rows(arguments: argparse.Namespace, items: pd.DataFrame) -> dict[str, Any]:
    """Return what a scheme of rows reads; where the source gives no rows, its items stand for them."""
    path = str(arguments.options.get("path", ""))
    if not path:
        raise RelataskError(
            "splits.path: the scheme rows needs a file that says which rows are in which fold."
        )
    rows = read_table("rows", arguments.rows)
    folds = read_fold_file(Path(path), len(rows))
    return {"rows": rows if len(rows) else items[["source_id", "item_id"]], "row_folds": folds}
