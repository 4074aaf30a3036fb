"""Table `all_metrics`: every metric of the study on the test fold."""

from typing import Any

from relatask.evaluation.metrics import METRICS
from relatask.publishing.formatting import (
    NOTHING,
    Table,
    mean_std,
    scales_and_directions,
)
from relatask.publishing.inputs import Inputs, best_of, marked, records
from relatask.publishing.kind_notes import kind_notes

TABLE = {
    "caption": (
        "Every metric of the study on the test fold: mean ± standard deviation over seeds of the "
        "mean over tasks. The best mean of a data set and split is bold, whichever direction is "
        "better."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "metric": "string",
        "mean": "float64?",
        "std": "float64?",
        "delta": "float64?",
        "n_seeds": "int32",
        "n_tasks": "int32",
        "n_undefined": "int32",
    },
    "when": ("always",),
    "needs": ("summary", "dataset"),
}


def _cell(row: dict[str, Any] | None, name: str, best: float | None) -> str:
    """A value, a dash where the data set has no task of the metric's kind."""
    if row is None:
        return NOTHING
    return marked(mean_std(row["mean"], row["std"], METRICS[name]), row["mean"], best)


def make(inputs: Inputs) -> Table:
    """(Data set, split, method) x metric: mean ± std over seeds on the test fold."""
    data = inputs.test_summary()
    metrics = [name for name in inputs.study.metrics if name in set(data["metric"])]
    of_column: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in records(data):
        of_column.setdefault((row["dataset"], row["split"]), []).append(row)
    body = []
    for dataset, split in inputs.columns:
        found = {(row["method"], row["metric"]): row for row in of_column.get((dataset, split), [])}
        own = [method for method in inputs.methods if any((method, name) in found for name in metrics)]
        lines = [[dataset, split, method] for method in own]
        for name in metrics:
            column = [found.get((method, name)) for method in own]
            best = best_of([row["mean"] for row in column if row], name)
            for line, cell in zip(lines, column, strict=True):
                line.append(_cell(cell, name, best))
        body += lines
    header = ["data set", "split", "method", *(METRICS[name].label for name in metrics)]
    directions = scales_and_directions([METRICS[name] for name in metrics])
    notes = [f"{directions}.", *kind_notes(inputs), inputs.reduced]
    return Table(
        "all_metrics", f"{inputs.study.title}: all metrics on the test fold", data, header, body, 3, notes
    )
