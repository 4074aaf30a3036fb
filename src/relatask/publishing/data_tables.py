"""The tables about data sets, splits and what the runs cost."""

from typing import Any

import pandas as pd

from relatask.core.columns.data import CELLS
from relatask.core.files import read_fields
from relatask.core.tables import COLUMNS, read_table
from relatask.data.splits import FOLDS
from relatask.publishing.formatting import NOTHING, Table, number
from relatask.publishing.inputs import Inputs, records
from relatask.publishing.published_values import lookup

COUNTED = ("molecules", "tasks", "labelled_percent")


def _dataset_json(inputs: Inputs, dataset: str) -> dict[str, Any]:
    path = inputs.results / dataset / "dataset.json"
    counts = dict.fromkeys(("molecules", "tasks", "labels", "edges", "classes"), int)
    shares = dict.fromkeys(("positive_rate", "labelled_share"), float)
    return read_fields(path, **counts, **shares, digest=str)


def _items(inputs: Inputs) -> str:
    return "points in time" if inputs.study.items == "series" else inputs.study.items


def statistics_table(inputs: Inputs) -> Table:
    """Data set x sizes, as table 1 of the SGNN-EBM paper, with its numbers where they are known."""
    printed = {name: lookup(inputs.published, inputs.study.paper, name) for name in COUNTED}
    rows = []
    for dataset, described in inputs.study.datasets.items():
        counts = _dataset_json(inputs, dataset)
        row = {
            "dataset": dataset,
            **{key: counts[key] for key in ("molecules", "tasks", "labels", "edges", "digest")},
        }
        if inputs.study.few_shot:
            row["tasks"] = counts["classes"]
        row["labelled_percent"] = 100 * counts["labelled_share"]
        row["positive_percent"] = 100 * counts["positive_rate"]
        for name in COUNTED:
            paper = printed[name].get((described.published, name.removesuffix("_percent")))
            row[f"published_{name}"] = paper.value if paper else None
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(COLUMNS["table_statistics"]))
    published = [f"published_{name}" for name in COUNTED]
    frame = frame.astype(dict.fromkeys(published, float))
    shown = [name for name in published if frame[name].notna().any()]
    items = _items(inputs)
    of_classes = inputs.study.labels == "classes"
    tasks = "classes" if of_classes else "tasks"
    header = ["data set", items, tasks, "labels", "labelled %", "active %", "relations"]
    header += [name.replace("_percent", " %").replace("_", " ") for name in shown]
    body = []
    for row in records(frame):
        cells = [number(row[key], 0) for key in ("molecules", "tasks", "labels")]
        active = number(row["positive_percent"]) if inputs.study.labels == "binary" else NOTHING
        cells += [number(row["labelled_percent"]), active, number(row["edges"], 0)]
        cells += [number(row[name], 2 if "percent" in name else 0) for name in shown]
        body.append([row["dataset"], *cells])
    notes = [
        "Each image has one class."
        if of_classes
        else f"labelled: share of ({items}) x (tasks) cells with a label; active: share of labels that are 1."
    ]
    return Table("statistics", f"{inputs.study.title}: data sets", frame, header, body, 1, notes)


def splits_table(inputs: Inputs) -> Table:
    """(Data set, scheme, seed) x molecules or cells per fold, with the digest that identifies a split."""
    rows = []
    for dataset, split in inputs.columns:
        for seed in inputs.study.scales[inputs.scale].seeds:  # type: ignore[index]
            path = inputs.results / dataset / "splits" / f"{split}-{seed}.parquet"
            sizes = read_table("split", path, ["fold"])["fold"].value_counts()
            record = {"dataset": dataset, "split": split, "seed": seed}
            record |= {fold: int(sizes.get(fold, 0)) for fold in FOLDS}
            rows.append({**record, "digest": read_fields(path.with_suffix(".json"), digest=str)["digest"]})
    frame = pd.DataFrame(rows, columns=list(COLUMNS["table_splits"]))
    body = [
        [
            row["dataset"],
            row["split"],
            str(row["seed"]),
            *(number(row[fold], 0) for fold in FOLDS),
            row["digest"][:16],
        ]
        for row in records(frame)
    ]
    header = ["data set", "split", "seed", *FOLDS, "digest"]
    cells = "; of a split of cells, labels" if CELLS in inputs.study.splits.schemes else ""
    notes = [
        f"{_items(inputs).capitalize()} per fold{cells}. Equal digests: the same ones in the same folds "
        "(16 of 64 digits are shown)."
    ]
    return Table("splits", f"{inputs.study.title}: splits", frame, header, body, 3, notes)


def costs_table(inputs: Inputs) -> Table:
    """(Data set, split, method) x measured time and memory; not the same from run to run."""
    assert inputs.costs is not None
    runs = inputs.plan[["run_id", "dataset", "split", "label", "seed", "predicted_minutes"]].rename(
        columns={"label": "method"}
    )
    joined = runs.merge(inputs.costs, on="run_id")
    grouped = joined.groupby(["dataset", "split", "method"], sort=False)
    frame = pd.DataFrame(
        {
            "n_runs": grouped["run_id"].size(),
            "seconds": grouped["seconds"].sum().astype(float),
            "seconds_per_seed": grouped["seconds"].sum().astype(float) / grouped["seed"].nunique(),
            "predicted_seconds": 60 * grouped["predicted_minutes"].sum().astype(float),
            "peak_rss_mb": grouped["peak_rss_mb"].max().astype(float),
            "devices": grouped["device"].agg(lambda devices: ", ".join(sorted(set(devices)))),
        }
    ).reset_index()
    frame = inputs.ordered(frame)
    body = []
    for row in records(frame):
        figures = [
            number(row["n_runs"], 0),
            number(row["seconds_per_seed"], 1),
            number(row["seconds"] / row["predicted_seconds"], 2),
            number(row["peak_rss_mb"], 0),
        ]
        body.append([row["dataset"], row["split"], row["method"], *figures, row["devices"] or NOTHING])
    header = ["data set", "split", "method", "runs", "seconds per seed", "of predicted", "peak memory (MB)"]
    notes = [
        "Measured: these figures differ from run to run and from machine to machine. of predicted: measured "
        "over predicted time; where it is far from 1, `relatask calibrate` prints what makes shards as long "
        "as they should be.",
        inputs.reduced,
    ]
    return Table("costs", f"{inputs.study.title}: measured costs", frame, [*header, "device"], body, 3, notes)
