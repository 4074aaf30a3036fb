"""Table `gain_by_task`: the difference of each task against its number of labels and of related tasks."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from relatask.core.tables import columns_of
from relatask.evaluation.aggregate import differences
from relatask.evaluation.metrics import METRICS
from relatask.publishing.formatting import (
    NOTHING,
    Table,
    number,
    p_value,
    printed_label,
    scale_of,
    signed,
)
from relatask.publishing.inputs import Inputs

TABLE = {
    "caption": (
        "Which tasks gain: the difference of each task to another method, against the number of its "
        "labels and of its related tasks. Spearman's rank correlation, and the mean difference of "
        "the third of tasks with the fewest, middle and most."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "task_id": "string",
        "method": "string",
        "baseline": "string",
        "metric": "string",
        "n_labels": "int32",  # of the task in the data set, over all folds
        "degree": "int32",  # number of related tasks
        "difference": "float64",  # to the baseline, mean over the seeds defined in both
    },
    "when": ("tasks",),
    "needs": ("plan", "metrics", "dataset"),
}
SIZES = {"n_labels": "labels", "degree": "relations"}
THIRDS = ("fewest", "middle", "most")
MIN_TASKS = 6


def _tasks(inputs: Inputs, dataset: str) -> pd.DataFrame:
    """Labels and degree in the relation graph of each task of a data set."""
    tasks = inputs.of_dataset(dataset, "tasks", ["task_id", "n_labels"])
    edges = inputs.of_dataset(dataset, "relations", ["task_i", "task_j"])
    degree = pd.concat([edges["task_i"], edges["task_j"]]).value_counts()
    tasks["degree"] = tasks["task_id"].map(degree).fillna(0).astype(int)
    return tasks.set_index("task_id")[list(SIZES)]


def gains(inputs: Inputs) -> pd.DataFrame:
    """Rows (data set, split, method, baseline, task): labels, degree, and the mean difference over seeds.

    The pairs are those of the comparisons: every method against the baseline, and the contrasts.
    """
    cells = inputs.test_cells
    baseline = str(inputs.study.baseline)
    pairs = [(label, baseline) for label in inputs.methods if label != baseline]
    found = []
    for method, other in [*pairs, *inputs.study.contrasts]:
        two = cells[cells["method"].isin([method, other])]
        own = differences(two, other).reset_index()
        own = own[own["method"] == method]
        own = own.groupby(["dataset", "split", "task_id"], observed=True)["difference"].mean().reset_index()
        found.append(own.assign(method=method, baseline=other, metric=inputs.metric))
    sizes = pd.concat({name: _tasks(inputs, name) for name in inputs.study.datasets}, names=["dataset"])
    key = ["dataset", "task_id"]
    table = (
        pd.concat(found, ignore_index=True)
        if found
        else pd.DataFrame(columns=[*key, "split", "method", "baseline", "metric", "difference"])
    )
    return table.astype(dict.fromkeys(key, object)).join(sizes, on=key)[
        list(columns_of("table_gain_by_task"))
    ]


def _thirds(values: np.ndarray, size: np.ndarray) -> Iterator[float | None]:
    """Mean of `values` over the third of tasks of small, middle and large size; equal sizes stay together."""
    ranks = pd.Series(size).rank(method="average", pct=True).to_numpy()
    for low, high in ((0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1)):
        chosen = values[(ranks > low) & (ranks <= high)]
        yield float(chosen.mean()) if len(chosen) else None


def _row(values: np.ndarray, size: np.ndarray, factor: float, digits: int) -> list[str]:
    """Spearman's correlation with its p value, and the mean difference of each third."""
    if len(values) < MIN_TASKS or np.ptp(size) == 0 or np.ptp(values) == 0:
        return [NOTHING, NOTHING, *([NOTHING] * len(THIRDS))]
    test = spearmanr(values, size)
    thirds = [signed(None if mean is None else factor * mean, digits) for mean in _thirds(values, size)]
    return [signed(float(test.statistic)), p_value(float(test.pvalue)), *thirds]


def make(inputs: Inputs) -> Table:
    """(Data set, split, method, other, size) x correlation of the difference with the size of a task."""
    data, metric = gains(inputs), METRICS[inputs.metric]
    factor, digits = scale_of(metric)
    body: list[list[Any]] = []
    for dataset, split in inputs.columns:
        here = data[(data["dataset"] == dataset) & (data["split"] == split)]
        for (method, other), rows in here.groupby(["method", "baseline"], sort=False):
            for column, name in SIZES.items():
                values, size = rows["difference"].to_numpy(float), rows[column].to_numpy(float)
                cells = _row(values, size, factor, digits)
                body.append([dataset, split, method, other, name, number(len(rows), 0), *cells])
    notes = [
        f"Difference of the test {printed_label(metric)} of a task (mean over "
        "seeds) to that of the method named under against; labels: of the task in the data set; relations: "
        "its degree in the relation graph.",
        "ρ: Spearman's rank correlation of difference and size over tasks; last columns: mean difference of "
        f"the third of tasks with the fewest, middle and most. {NOTHING}: fewer than {MIN_TASKS} tasks, or "
        "all are of one size. Each task is in the csv file.",
        inputs.reduced,
    ]
    header = ["data set", "split", "method", "against", "by", "tasks", "ρ", "p", *THIRDS]
    title = f"{inputs.study.title}: which tasks gain"
    return Table("gain_by_task", title, data, header, body, 5, notes)
