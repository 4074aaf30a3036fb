"""Table `per_task`: every task on its own."""

from typing import Any

import pandas as pd

from relatask.core.tables import columns_of
from relatask.evaluation.aggregate import per_task
from relatask.evaluation.metrics import METRICS
from relatask.publishing.formatting import (
    NOTHING,
    Table,
    mean_std,
    number,
    printed_label,
)
from relatask.publishing.inputs import Inputs, best_of, marked, records

TABLE = {
    "caption": (
        "Every task on its own: mean ± standard deviation over seeds of each method, the number of "
        "test labels and of active ones, and why a value is missing where it is."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "task_id": "string",
        "name": "string",
        "n_labels": "int32",  # of the task in the data set, over all folds
        "n_pos": "int32",
        "method": "string",
        "metric": "string",
        "mean": "float64?",
        "std": "float64?",
        "n_seeds": "int32",  # seeds where the metric is defined
        "reason": "string?",  # why it is undefined for the other seeds
    },
    "when": ("tasks",),
    "needs": ("plan", "metrics", "dataset"),
}
KEY = ["dataset", "split", "task_id", "method"]


def _reasons(inputs: Inputs) -> dict[tuple[str, ...], str]:
    """Why test values of the leading metric are undefined, by `KEY`; several reasons are joined."""
    found: dict[tuple[str, ...], set[str]] = {}
    for row in records(inputs.undefined_cells[[*KEY, "reason"]]):
        found.setdefault(tuple(row[column] for column in KEY), set()).add(row["reason"])
    return {key: ", ".join(sorted(reasons)) for key, reasons in found.items()}


def _per_task_data(inputs: Inputs) -> list[list[dict[str, Any]]]:
    """For each (data set, split, task) of the study the values of all methods."""
    values = {
        tuple(row[column] for column in KEY): row
        for row in records(per_task(inputs.test_cells, inputs.metric))
    }
    reasons, lines = _reasons(inputs), []
    tasks = {dataset: records(inputs.of_dataset(dataset, "tasks")) for dataset in inputs.study.datasets}
    for dataset, split in inputs.columns:
        for task in tasks[dataset]:
            shared = {"dataset": dataset, "split": split, "task_id": task["task_id"], "name": task["name"]}
            shared |= {
                "n_labels": task["n_labels"],
                "n_pos": task["n_pos"],
                "metric": inputs.metric,
            }
            line = []
            for method in inputs.methods:
                key = (dataset, split, task["task_id"], method)
                value = values.get(key, {"mean": None, "std": None, "n_seeds": 0})
                line.append({**value, **shared, "method": method, "reason": reasons.get(key)})
            lines.append(line)
    return lines


def make(inputs: Inputs) -> Table:
    """(Data set, split, task) x method: mean ± std over seeds of the leading metric on the test fold."""
    metric, lines = METRICS[inputs.metric], _per_task_data(inputs)
    body = []
    for line in lines:
        best = best_of([cell["mean"] for cell in line], inputs.metric)
        shown = [marked(mean_std(cell["mean"], cell["std"], metric), cell["mean"], best) for cell in line]
        first = line[0]
        counts = [number(first["n_labels"], 0), number(first["n_pos"], 0)]
        body.append([first["dataset"], first["split"], first["name"], *counts, *shown])
    data = pd.DataFrame([cell for line in lines for cell in line], columns=list(columns_of("table_per_task")))
    notes = [
        f"{printed_label(metric)} on the test fold, mean ± population standard "
        "deviation over the seeds where it is defined; the best of a row is bold.",
        f"labels and active count the whole data set. {NOTHING}: undefined for every seed; the column reason "
        "of the csv file says why.",
        inputs.reduced,
    ]
    header = ["data set", "split", "task", "labels", "active", *inputs.methods]
    return Table("per_task", f"{inputs.study.title}: each task", data, header, body, 3, notes)
