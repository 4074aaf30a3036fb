"""Where everything lies below results/: the one place that names files of studies, data sets and sources.

Data sets and sources belong to their study, as two studies may mean different files by one name. Only raw
files that config/datasets.tsv names, by address and digest, are shared.

Rules and steps ask these functions, so a file is renamed in one line. A name in braces, e.g. {shard}, is
filled in by a keyword, or stays as it is: Snakemake reads it as a wildcard.
"""

from collections.abc import Mapping
from pathlib import Path

# name -> file below results/{study}
STUDY_FILES = {
    "study": "study.json",
    "origin": "study_file.txt",
    "plan": "plan.parquet",
    "shard_manifest": "shards/{shard}.json",
    "shard_done": "shards/{shard}.done.json",
    "prepared": "prepared/{dataset}",  # a marker: all that training reads of the data set exists
    "predictions": "predictions.parquet",
    "history": "history.parquet",
    "costs": "costs.parquet",
    "metrics": "metrics.parquet",
    "summary": "summary.parquet",
    "comparisons": "comparisons.parquet",
    "cells": "cells.parquet",
    "item_intervals": "item_intervals.parquet",
    "saved": "saved/{name}.parquet",  # tables that methods save besides predictions
    "leaks": "leaks/{dataset}.parquet",
    "similarity": "similarity/{dataset}.parquet",
    "imputed": "imputed/{dataset}-{label}.parquet",
    "collection_predictions": "collections/{collection}/predictions.parquet",
    "collection_history": "collections/{collection}/history.parquet",
    "collection_costs": "collections/{collection}/costs.parquet",
    "collection_metrics": "collections/{collection}/metrics.parquet",
    "trials": "search/{dataset}/{label}/{scheme}-{seed}.parquet",
    "selected": "selected/{collection}/{strategy}.parquet",
    "gains": "gains/{collection}.parquet",
    "affinities": "affinities/{collection}.parquet",
    "estimates": "estimates/{collection}/{strategy}.parquet",
    "groups": "groups/{collection}.parquet",
    "groupings": "groupings/{collection}.parquet",
    "encodings": "encodings/{collection}.parquet",
    "tables": "tables",
    "table": "tables/{name}.{suffix}",
    "saved_table": "tables/saved_{name}.{suffix}",
    "described_predictions": "tables/predictions-{dataset}.{suffix}",
    "figures": "figures",
    "figure": "figures/{name}.{suffix}",
    "caption": "captions/{name}.rst",
    "manifest": "manifest.json",
    # Of the journal, which shards write and Snakemake does not compare.
    "runs": "runs",
    "failed": "failed",
    "running": "running",
    "checkpoints": "checkpoints",
    # What live services were asked for a source.
    "activities": "queries/{source}/activities.json",
    "interactions": "queries/{source}/interactions.tsv",
    "proteins": "queries/{source}/proteins.parquet",
}
# name -> file below results/{study}/data/{dataset}; tables by their own names
DATASET_TABLES = (
    *("items", "rejected", "conflicts", "tasks", "rejected_tasks", "labels", "classes", "relations"),
)
DATASET_LISTS = ("rejected", "conflicts", "rejected_tasks")  # what was lost, for people: as CSV too
DATASET_FILES = {
    **{name: f"{name}.parquet" for name in DATASET_TABLES},
    **{f"{name}_csv": f"{name}.csv" for name in DATASET_LISTS},
    "dataset": "dataset.json",  # counts and digests; written last, so a folder that has it is whole
    "raw_relations": "raw_relations.parquet",  # before densification
    "relations_report": "raw_relations.json",
    "split": "splits/{scheme}-{seed}.parquet",
    "split_record": "splits/{scheme}-{seed}.json",
    "clusters": "clusters/{cutoff}.parquet",  # of molecules, by their greatest distance
    "features": "features",
    "feature_record": "features/features.json",  # names and digests of the arrays beside it
    "array": "features/{name}.npy",
}
DATASET_READ = ("items", "tasks", "labels", "classes", "relations")  # tables that training reads
TRAINED_ON = (*DATASET_READ, "feature_record")  # and the splits
DRAWN = ("items", "tasks", "labels", "relations")  # tables that tables and figures look into
# name -> file below results/{study}/sources/{source}
SOURCE_TABLES = ("items", "rejected", "conflicts", "tasks", "labels", "classes")
SOURCE_FILES = {**{name: f"{name}.parquet" for name in (*SOURCE_TABLES, "rows")}, "counts": "counts.json"}
# name -> file below results/raw
RAW_FILES = {
    "file": "{source}/{file}",
    "assays": "{source}/labelsHard.pckl",
    "assay_targets": "{source}/assay_targets.parquet",
    "planted": "planted/{name}",
}
PLANTED = ("molecules.csv", "tasks.csv", "string_links.txt", "truth.json")
PLANTED_LINKS = PLANTED[2]
# Folders below results/ that are no study's.
LOGS = ("logs", "benchmarks")  # that Snakemake writes and does not compare
WORKFLOW_FOLDERS = ("raw", "published", "predictions", *LOGS)
JOURNAL = ("runs", "failed", "running", "checkpoints")
# One folder for each scale: a quick run must not replace what was measured at the scale of the paper.
PUBLISHED_STUDY = "published/{study}/{scale}"
PROVENANCE = "provenance.json"
# What the target `predict` writes, and on the way the rows that jobs read, their record, and their parts.
PREDICTIONS = "predictions/{name}.csv"
PREDICTION_KINDS = (".csv", ".csv.gz", ".parquet")
PREDICTION_ROWS = "predictions/{name}-parts/{part}-of-{parts}.rows.parquet"
SCATTERED = "predictions/{name}-parts/of-{parts}.json"
PREDICTION_PART = "predictions/{name}-parts/{part}-of-{parts}.{suffix}"

TABLE_FORMATS = ("html", "parquet", "csv", "md", "tex")  # the first is shown in the report
FIGURE_FORMATS = ("png", "svg", "parquet")
PUBLISHED_TABLE_FORMATS = ("csv", "md")
PUBLISHED_FIGURE_FORMATS = ("png",)

# What an output may need: tables of the study, files of its data sets, tables of each collection of gains.
NEEDS_OF_STUDY = (
    *("plan", "metrics", "summary", "comparisons", "item_intervals", "costs", "history", "predictions"),
)
NEEDS_OF_DATASETS = ("dataset", "splits", "features", "sequences", "leaks", "similarity")
NEEDS_OF_COLLECTIONS = ("gains", "groups", "groupings", "estimates", "encodings")
NEEDS = ("trials", *NEEDS_OF_STUDY, *NEEDS_OF_DATASETS, *NEEDS_OF_COLLECTIONS)


def in_study(file: str, /, **wildcards: str) -> str:
    """Return a file of a study, relative to the study's folder, e.g. "plan.parquet"."""
    return _filled(STUDY_FILES[file], wildcards)


def study_file(file: str, study: str, /, **wildcards: str) -> str:
    """Return a file of a study, relative to the folder of results, e.g. "demo/plan.parquet"."""
    return f"{study}/{in_study(file, **wildcards)}"


def in_dataset(file: str, /, **wildcards: str) -> str:
    """Return a file of a data set, relative to its folder, e.g. "dataset.json"."""
    return _filled(DATASET_FILES[file], wildcards)


def dataset_folder(dataset: str) -> str:
    """Return the folder of a data set, relative to its study's folder."""
    return f"data/{dataset}"


def dataset_file(file: str, study: str, dataset: str, /, **wildcards: str) -> str:
    """Return a file of a data set, relative to that of results, e.g. "demo/data/planted/dataset.json"."""
    return f"{study}/{dataset_folder(dataset)}/{in_dataset(file, **wildcards)}"


def source_folder(source: str) -> str:
    """Return the folder of a prepared source, relative to its study's folder."""
    return f"sources/{source}"


def source_file(file: str, study: str, source: str) -> str:
    """Return a file of a prepared source, relative to the folder of results."""
    return f"{study}/{source_folder(source)}/{SOURCE_FILES[file]}"


def raw_file(file: str, /, **wildcards: str) -> str:
    """Return a raw file, relative to the folder of results, e.g. "raw/tox21/tox21.csv"."""
    return f"raw/{_filled(RAW_FILES[file], wildcards)}"


def raw_folder(source: str) -> str:
    """Return the folder of the files of a data set of config/datasets.tsv, relative to that of results."""
    return f"raw/{source}"


def queries_folder(study: str, source: str) -> str:
    """Return the folder of what live services were asked for a source, relative to the folder of results."""
    return f"{study}/queries/{source}"


def _filled(path: str, wildcards: Mapping[str, str]) -> str:
    for key, value in wildcards.items():
        path = path.replace(f"{{{key}}}", str(value))
    return path


def published_folder(study: str, scale: str) -> str:
    """Return the folder of the copies that are committed, relative to the folder of results."""
    return PUBLISHED_STUDY.format(study=study, scale=scale)


def published_copy(study: str, scale: str, file: str | Path) -> str:
    """Return the copy of a table's or figure's file, relative to the folder of results."""
    return f"{published_folder(study, scale)}/{Path(file).name}"
