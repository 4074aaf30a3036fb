"""Table `per_task`: every task on its own."""

from typing import Any

import pandas as pd

from relatask.core.tables import columns_of
from relatask.evaluation.aggregate import per_task
from relatask.evaluation.metrics import METRICS, Metric
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


def _metric_of(inputs: Inputs, kind: str) -> str:
    """The study's first metric of a kind of task: the leading one, if all tasks are of one kind."""
    return next((name for name in inputs.study.metrics if METRICS[name].of == kind), inputs.metric)


def _reasons(inputs: Inputs, metric: str) -> dict[tuple[str, ...], str]:
    """Why test values of a metric are undefined, by `KEY`; several reasons are joined."""
    found: dict[tuple[str, ...], set[str]] = {}
    for row in records(inputs.undefined_cells_of(metric)[[*KEY, "reason"]]):
        found.setdefault(tuple(row[column] for column in KEY), set()).add(row["reason"])
    return {key: ", ".join(sorted(reasons)) for key, reasons in found.items()}


def _per_task_data(inputs: Inputs) -> list[list[dict[str, Any]]]:
    """For each (data set, split, task) of the study the values of all methods."""
    tasks = {dataset: records(inputs.of_dataset(dataset, "tasks")) for dataset in inputs.study.datasets}
    kinds = dict.fromkeys(task["kind"] for own in tasks.values() for task in own)
    metric_of, lines = {kind: _metric_of(inputs, kind) for kind in kinds}, []
    values: dict[tuple[str, ...], dict[str, Any]] = {}
    reasons: dict[tuple[str, ...], str] = {}
    for metric in set(metric_of.values()):
        of_metric = records(per_task(inputs.test_cells_of(metric), metric))
        values |= {(metric, *(row[column] for column in KEY)): row for row in of_metric}
        reasons |= {(metric, *key): reason for key, reason in _reasons(inputs, metric).items()}
    for dataset, split in inputs.columns:
        for task in tasks[dataset]:
            shared = {"dataset": dataset, "split": split, "task_id": task["task_id"], "name": task["name"]}
            shared |= {
                "n_labels": task["n_labels"],
                "n_pos": task["n_pos"],
                "metric": metric_of[task["kind"]],
            }
            line = []
            for method in inputs.methods:
                key = (shared["metric"], dataset, split, task["task_id"], method)
                value = values.get(key, {"mean": None, "std": None, "n_seeds": 0})
                line.append({**value, **shared, "method": method, "reason": reasons.get(key)})
            lines.append(line)
    return lines


def _units(inputs: Inputs) -> dict[tuple[str, str], str]:
    """(Data set, task_id) -> unit of the task's values, of tasks that have one."""
    found: dict[tuple[str, str], str] = {}
    for name in inputs.study.datasets:
        tasks = inputs.of_dataset(name, "tasks", ["task_id", "unit"]).dropna()
        found |= {(name, task): unit for task, unit in zip(tasks["task_id"], tasks["unit"], strict=True)}
    return found


def _said(metric: Metric, unit: str | None) -> str:
    """What a metric of a task is called, with its unit if it has one."""
    return f"{metric.label} ({unit})" if metric.in_unit and unit else metric.label


def make(inputs: Inputs) -> Table:
    """(Data set, split, task) x method: mean ± std over seeds on the test fold.

    The metric is the leading one or, of tasks of another kind, the first of theirs.
    """
    lines = _per_task_data(inputs)
    metrics = list(dict.fromkeys(line[0]["metric"] for line in lines)) or [inputs.metric]
    units = _units(inputs) if any(METRICS[name].in_unit for name in metrics) else {}
    many, body = bool(metrics[1:] or units), []
    for line in lines:
        first, metric = line[0], METRICS[line[0]["metric"]]
        best = best_of([cell["mean"] for cell in line], first["metric"])
        shown = [marked(mean_std(cell["mean"], cell["std"], metric), cell["mean"], best) for cell in line]
        words = [first["dataset"], first["split"], first["name"]]
        words += [_said(metric, units.get((first["dataset"], first["task_id"])))] if many else []
        body.append([*words, number(first["n_labels"], 0), number(first["n_pos"], 0), *shown])
    data = pd.DataFrame([cell for line in lines for cell in line], columns=list(columns_of("table_per_task")))
    notes = [
        f"{' or '.join(printed_label(METRICS[name]) for name in metrics)} on the test fold, mean ± "
        "sample standard deviation over the seeds where it is defined; the best of a row is bold.",
        f"labels and active count the whole data set. {NOTHING}: undefined for every seed; the column reason "
        "of the csv file says why.",
        inputs.reduced,
    ]
    words = ["data set", "split", "task", *(["metric"] if many else [])]
    header = [*words, "labels", "active", *inputs.methods]
    return Table("per_task", f"{inputs.study.title}: each task", data, header, body, len(words), notes)
