"""Table `statistics`: what is left of the raw files of each data set."""

from typing import Any

import pandas as pd

from relatask.core.files import read_fields
from relatask.core.layout import dataset_file
from relatask.core.tables import columns_of
from relatask.data.source_tables import replicates_said
from relatask.publishing.formatting import (
    NOTHING,
    Table,
    number,
)
from relatask.publishing.inputs import Inputs, records
from relatask.publishing.published_values import lookup

TABLE = {
    "caption": (
        "What is left of the raw files: items, tasks, labels, share of labelled cells, share of "
        "active labels, and relations of each data set. Whatever was left out stands with its reason "
        "in ``rejected.csv``, ``conflicts.csv`` and ``rejected_tasks.csv`` of the data set."
    ),
    "columns": {
        "dataset": "string",
        "items": "int32",
        "tasks": "int32",
        "labels": "int64",
        "labelled_percent": "float64",
        "positive_percent": "float64",
        "edges": "int32",
        "published_items": "float64?",
        "published_tasks": "float64?",
        "published_labelled_percent": "float64?",
        "digest": "string",
    },
    "when": ("always",),
    "needs": ("dataset",),
}
LOST = ("conflicting", "undecided")
COUNTED = ("items", "tasks", "labelled_percent")


def _dataset_json(inputs: Inputs, dataset: str) -> dict[str, Any]:
    path = inputs.results / dataset_file("dataset", inputs.name, dataset)
    counts = dict.fromkeys(("items", "tasks", "labels", "edges"), int)
    if inputs.study.few_shot:
        counts["classes"] = int
    shares = dict.fromkeys(("positive_rate", "labelled_share"), float)
    return read_fields(path, **counts, **shares, digest=str)


def _lost_notes(inputs: Inputs) -> list[str]:
    """Notes on labels that were lost, and on how far measurements of one cell lie apart."""
    notes = []
    for dataset in inputs.study.datasets:
        described = read_fields(inputs.results / dataset_file("dataset", inputs.name, dataset))
        counts = described.get("source", {}).get("standardisation", {})
        labels = counts.get("labels", {})
        if isinstance(labels, dict) and (lost := sum(labels.get(f"{how}_cells", 0) for how in LOST)):
            notes.append(
                f"{dataset}: {lost:,} cells have labels that conflict, or a bound that decides nothing, and "
                "are left out (conflicts.csv)."
            )
        if spread := counts.get("replicates"):
            notes.append(f"{dataset}: {replicates_said(spread)}.")
    return notes


def make(inputs: Inputs) -> Table:
    """Data set x sizes, as table 1 of the SGNN-EBM paper, with its numbers where they are known."""
    printed = {name: lookup(inputs.published, inputs.study.paper, name) for name in COUNTED}
    rows = []
    for dataset, described in inputs.study.datasets.items():
        counts = _dataset_json(inputs, dataset)
        row = {
            "dataset": dataset,
            **{key: counts[key] for key in ("items", "tasks", "labels", "edges", "digest")},
        }
        if inputs.study.few_shot:
            row["tasks"] = counts["classes"]
        row["labelled_percent"] = 100 * counts["labelled_share"]
        row["positive_percent"] = 100 * counts["positive_rate"]
        for name in COUNTED:
            paper = printed[name].get((described.published, name.removesuffix("_percent")))
            row[f"published_{name}"] = paper.value if paper else None
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(columns_of("table_statistics")))
    published = [f"published_{name}" for name in COUNTED]
    frame = frame.astype(dict.fromkeys(published, float))
    shown = [name for name in published if frame[name].notna().any()]
    items = inputs.items
    of_classes = inputs.study.labels == "classes"
    tasks = "classes" if of_classes else "tasks"
    header = ["data set", items, tasks, "labels", "labelled %", "active %", "relations"]
    header += [name.replace("items", items).replace("_percent", " %").replace("_", " ") for name in shown]
    body = []
    for row in records(frame):
        cells = [number(row[key], 0) for key in ("items", "tasks", "labels")]
        active = number(row["positive_percent"]) if inputs.study.labels == "binary" else NOTHING
        cells += [number(row["labelled_percent"]), active, number(row["edges"], 0)]
        cells += [number(row[name], 2 if "percent" in name else 0) for name in shown]
        body.append([row["dataset"], *cells])
    notes = [
        "Each image has one class."
        if of_classes
        else f"labelled: share of ({items}) x (tasks) cells with a label; active: share of labels that are 1."
    ]
    notes += _lost_notes(inputs)
    return Table("statistics", f"{inputs.study.title}: data sets", frame, header, body, 1, notes)
