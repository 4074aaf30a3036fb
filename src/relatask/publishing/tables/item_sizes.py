"""Table `item_sizes`: how large graphs and texts are, as tables 3 and 4 of L2T-MITTEN."""

from typing import Any

import numpy as np
import pandas as pd

from relatask.core.files import read_json
from relatask.core.layout import dataset_file
from relatask.core.tables import columns_of
from relatask.publishing.formatting import Table, number
from relatask.publishing.inputs import Inputs, records
from relatask.publishing.published_values import lookup

TABLE = {
    "caption": (
        "How many graphs, nodes or texts each data set has, and how large they are, beside what the paper "
        "prints: of small graphs the mean numbers of nodes and edges, of one graph whose nodes are the items "
        "all of its edges, of texts the mean number of words."
    ),
    "columns": {
        "dataset": "string",
        "items": "int32",
        "tasks": "int32",
        "nodes": "float64?",  # mean over graphs
        "edges": "float64?",  # mean over graphs; all, where the items are nodes of one graph
        "words": "float64?",  # mean over texts
        "published_items": "float64?",
        "published_tasks": "float64?",
        "published_nodes": "float64?",
        "published_edges": "float64?",
        "published_words": "float64?",
    },
    "when": ("tasks",),
    "papers": ("l2t_mitten",),
    "needs": ("dataset", "features"),
}
SIZES = ("items", "tasks", "nodes", "edges", "words")


def make(inputs: Inputs) -> Table:
    """Data set x sizes, with the paper's where it prints them."""
    printed = {name: lookup(inputs.published, inputs.study.paper, name) for name in SIZES}
    rows = []
    for dataset, described in inputs.study.datasets.items():
        paper = {name: printed[name].get((described.published, name)) for name in SIZES}
        published = {f"published_{name}": one.value if one else None for name, one in paper.items()}
        rows.append({"dataset": dataset, **_sizes(inputs, dataset), **published})
    columns = columns_of("table_item_sizes")
    data = pd.DataFrame(rows, columns=list(columns))
    data = data.astype({name: float for name, kind in columns.items() if kind == "float64?"})
    shown = [name for name in data.columns[1:] if data[name].notna().any()]
    body = [
        [row["dataset"], *(number(row[name], _digits(row, name)) for name in shown)] for row in records(data)
    ]
    named = {"items": inputs.items, "nodes": "nodes (mean)", "words": "words (mean)"}
    header = ["data set", *(named.get(name, name.replace("_", " ")) for name in shown)]
    notes = [
        "edges: each counted once, whatever its direction; words: what blanks part. published: as printed in "
        f"{inputs.study.paper} (config/published.csv), whose edges of SIDER are twice the bonds and a loop "
        "at each atom."
    ]
    return Table("item_sizes", f"{inputs.study.title}: graphs and texts", data, header, body, 1, notes)


def _digits(row: dict[str, Any], name: str) -> int:
    """One decimal for what is a mean."""
    mean = name in {"nodes", "edges", "words"} and pd.notna(row[name])
    return 1 if mean and row[name] != round(row[name]) else 0


def _sizes(inputs: Inputs, dataset: str) -> dict[str, float | None]:
    """Sizes of one data set, by the columns that its kind of items has."""
    items = inputs.of_dataset(dataset, "items")
    n, tasks = len(items), inputs.of_dataset(dataset, "tasks", ["task_id"])
    found: dict[str, float | None] = {"items": n, "tasks": len(tasks)}
    if "text" in items:
        return {**found, "words": float(items["text"].str.split().map(len).mean())}
    if "neighbours" in items:
        return {**found, "edges": _edges(items)}
    if "n_heavy_atoms" in items:
        found["nodes"] = float(items["n_heavy_atoms"].mean())
        inputs.require("features")
        record = read_json(inputs.results / dataset_file("feature_record", inputs.name, dataset))
        bonds = record.get("directed_bonds") if isinstance(record, dict) else None
        found["edges"] = bonds / 2 / n if isinstance(bonds, int) and n else None
    return found


def _edges(items: pd.DataFrame) -> int:
    """Number of pairs of items of which one, or each, lists the other as a neighbour."""
    ends = np.repeat(items["item_id"].to_numpy(np.int64), items["neighbours"].map(len))
    others = np.concatenate([np.zeros(0, np.int64), *items["neighbours"]]).astype(np.int64)
    pairs = np.stack([np.minimum(ends, others), np.maximum(ends, others)])
    return len(np.unique(pairs[:, ends != others], axis=1).T)
