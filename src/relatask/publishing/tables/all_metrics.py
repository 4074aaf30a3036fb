"""Table `all_metrics`: every metric of the study on the test fold."""

from relatask.evaluation.metrics import METRICS
from relatask.publishing.formatting import (
    Table,
    mean_std,
    scales_and_directions,
)
from relatask.publishing.inputs import Inputs, best_of, marked, records

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


def make(inputs: Inputs) -> Table:
    """(Data set, split, method) x metric: mean ± std over seeds on the test fold."""
    data = inputs.test_summary()
    metrics = [name for name in inputs.study.metrics if name in set(data["metric"])]
    cells = {(row["dataset"], row["split"], row["method"], row["metric"]): row for row in records(data)}
    body = []
    for dataset, split in inputs.columns:
        own = [method for method in inputs.methods if (dataset, split, method, inputs.metric) in cells]
        lines = [[dataset, split, method] for method in own]
        for name in metrics:
            column = [cells[dataset, split, method, name] for method in own]
            best = best_of([row["mean"] for row in column], name)
            for line, row in zip(lines, column, strict=True):
                line.append(marked(mean_std(row["mean"], row["std"], METRICS[name]), row["mean"], best))
        body += lines
    header = ["data set", "split", "method", *(METRICS[name].label for name in metrics)]
    notes = [f"{scales_and_directions([METRICS[name] for name in metrics])}.", inputs.reduced]
    return Table(
        "all_metrics", f"{inputs.study.title}: all metrics on the test fold", data, header, body, 3, notes
    )
