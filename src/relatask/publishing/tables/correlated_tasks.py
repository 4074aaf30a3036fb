"""Table `correlated_tasks`: who gains by known labels, as MetaLink's table 3 asks."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from relatask.core.tables import columns_of
from relatask.evaluation.aggregate import differences
from relatask.evaluation.label_correlation import correlated_labels, label_correlation, mean_correlation
from relatask.evaluation.metrics import METRICS
from relatask.evaluation.spread import deviation
from relatask.publishing.formatting import (
    NOTHING,
    Table,
    mean_std,
    printed_label,
    scale_of,
    signed,
)
from relatask.publishing.inputs import Inputs, records
from relatask.publishing.published_values import lookup

TABLE = {
    "caption": (
        "The metric on the tasks whose labels correlate least, and most, with those of the other "
        "tasks.\n\n"
        "ρ: over all tasks, the rank correlation of a task's mean correlation with the others and "
        "its gain over the baseline.\n\n"
        "published: what the paper prints of the tasks that it chose in the same way, where it does."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "least_tasks": "list<string>",  # whose labels correlate least with those of the others
        "least_mean": "float64?",
        "least_std": "float64?",
        "least_published": "float64?",  # of the paper's own tasks, which it may have chosen otherwise
        "least_published_std": "float64?",
        "most_tasks": "list<string>",
        "most_mean": "float64?",
        "most_std": "float64?",
        "most_published": "float64?",
        "most_published_std": "float64?",
        "spearman": "float64?",  # over tasks: mean correlation with the others, and gain over the baseline
    },
    "when": ("reads_known_labels",),
    "needs": ("plan", "metrics", "dataset"),
}
N_TASKS = 3  # of each kind, as in the paper
KINDS = ("least", "most")
MIN_TASKS = 6  # for a correlation over tasks


def _correlations(inputs: Inputs, dataset: str) -> pd.Series:
    """Task -> mean correlation of its labels with the other tasks', where that is defined."""
    tasks = inputs.of_dataset(dataset, "tasks", ["task_id", "kind"])
    labels = correlated_labels(inputs.of_dataset(dataset, "labels"), tasks)
    correlation = label_correlation(labels, tasks["task_id"].tolist())
    return pd.Series(mean_correlation(correlation), index=tasks["task_id"].tolist()).dropna()


def _rows(
    inputs: Inputs, cells: pd.DataFrame, dataset: str, split: str, mean: pd.Series
) -> list[dict[str, object]]:
    """Each method's metric on the tasks that correlate least and most, by their `mean` correlation."""
    here = cells[(cells["dataset"] == dataset) & (cells["split"] == split)]
    here = here[here["task_id"].isin(mean.index)]
    ranked = mean[mean.index.isin(here["task_id"])].sort_values(kind="stable").index
    chosen = dict(zip(KINDS, (ranked[:N_TASKS], ranked[-N_TASKS:]), strict=True))
    gain = differences(here, str(inputs.study.baseline)).groupby(["method", "task_id"], observed=True).mean()
    found = []
    for method in inputs.methods:
        own = here[here["method"] == method]
        if own.empty:
            continue
        row: dict[str, object] = {"dataset": dataset, "split": split, "method": method}
        for name, tasks in chosen.items():
            seeds = own[own["task_id"].isin(tasks)].groupby("seed")["value"].mean().dropna()
            row |= {f"{name}_tasks": list(tasks), f"{name}_mean": seeds.mean()}
            row[f"{name}_std"] = deviation(seeds)
        gains = gain.loc[method] if method in gain.index.get_level_values(0) else gain.iloc[:0]
        varies = method != inputs.study.baseline and len(gains) >= MIN_TASKS and gains.nunique() > 1
        row["spearman"] = float(spearmanr(gains, mean.loc[gains.index]).statistic) if varies else np.nan
        found.append(row)
    return found


def _add_published(inputs: Inputs, data: pd.DataFrame) -> pd.DataFrame:
    """Fill in what the study's paper prints of its tasks: columns named "{data set} least correlated"."""
    printed = lookup(inputs.published, inputs.study.paper, inputs.metric)
    names = {method.label: method.published for method in inputs.study.methods}
    factor, _ = scale_of(METRICS[inputs.metric])
    for kind in KINDS:
        found = [
            printed.get((names[method], f"{inputs.study.datasets[dataset].published} {kind} correlated"))
            for dataset, method in zip(data["dataset"], data["method"], strict=True)
        ]
        data[f"{kind}_published"] = [p.value / factor if p else np.nan for p in found]
        data[f"{kind}_published_std"] = [p.spread / factor if p and p.spread else np.nan for p in found]
    return data[list(columns_of("table_correlated_tasks"))]


def make(inputs: Inputs) -> Table:
    """(Data set, split, method) x the metric on tasks that correlate least and most with the others."""
    cells = inputs.test_cells.dropna(subset="value")
    means = {dataset: _correlations(inputs, dataset) for dataset in inputs.study.datasets}
    rows = [row for name, split in inputs.columns for row in _rows(inputs, cells, name, split, means[name])]
    data = pd.DataFrame(rows, columns=list(columns_of("table_correlated_tasks")))
    data, metric = _add_published(inputs, data), METRICS[inputs.metric]
    has_published = bool(data[[f"{kind}_published" for kind in KINDS]].notna().to_numpy().any())
    body, header = [], ["data set", "split", "method"]
    for kind in KINDS:
        header += [f"{kind} correlated", *(["published"] if has_published else [])]
    for row in records(data):
        values = []
        for kind in KINDS:
            values.append(mean_std(row[f"{kind}_mean"], row[f"{kind}_std"], metric))
            if has_published:
                values.append(mean_std(row[f"{kind}_published"], row[f"{kind}_published_std"], metric))
        rho = NOTHING if row["method"] == inputs.study.baseline else signed(row["spearman"], 2)
        body.append([row["dataset"], row["split"], row["method"], *values, rho])
    title = f"{inputs.study.title}: tasks that correlate with others"
    notes = _notes(inputs, has_published)
    return Table("correlated_tasks", title, data, [*header, "ρ of the gain"], body, 3, notes)


def _notes(inputs: Inputs, has_published: bool) -> list[str]:
    metric = METRICS[inputs.metric]
    notes = [
        f"Test {printed_label(metric)}, mean over the {N_TASKS} tasks whose "
        "labels correlate least, or most, with those of others (Pearson, mean over the others, all folds), "
        "then mean ± sample standard deviation over seeds. The csv file names the tasks.",
        f"ρ: Spearman's rank correlation, over all tasks, of that mean with the gain over "
        f"{inputs.study.baseline}; {NOTHING}: fewer than {MIN_TASKS} tasks.",
    ]
    if has_published:
        notes.append(
            f"published: as printed in {inputs.study.paper} (config/published.csv), of its own choice."
        )
    return [*notes, inputs.reduced]
