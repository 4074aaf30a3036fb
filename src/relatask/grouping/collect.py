"""Gains from the metrics of task-set runs, and tables of gains from files and back."""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.grouping.gains import GainTable, in_order
from relatask.grouping.tables import set_ids
from relatask.plan.task_sets import task_set_id

FOLDS = ("valid", "test")


def collect_gains(
    plan: pd.DataFrame, metrics: pd.DataFrame, metric: str, lower_is_better: bool
) -> pd.DataFrame:
    """Return the gains of one collection: each task of each set against itself alone, same seed, same fold.

    The gain is the relative improvement of the metric (MTG-Net, section 4.1), so 0 for a task alone. Of
    several runs of a task alone the mean is the zero; the deviation among them is a column.

    Args:
        plan: rows of table "plan" of the collection's runs.
        metrics: table "metrics"; other runs in it are passed over.
        metric: the one that gains are made of, e.g. "roc_auc".
        lower_is_better: whether a lower value is an improvement.

    Returns:
        Columns of table "gains".

    Raises:
        RelataskError: a task was not trained alone.
    """
    runs = plan.set_index("run_id")
    cells = metrics[metrics["run_id"].isin(runs.index) & (metrics["metric"] == metric)]
    cells = cells[cells["fold"].isin(FOLDS)]
    run = runs.reindex(cells["run_id"].astype(str))
    sets = {text: tuple(json.loads(text)) for text in runs["tasks"].unique()}
    table = pd.DataFrame(
        {
            "task_set_id": run["tasks"]
            .map({text: task_set_id(tasks) for text, tasks in sets.items()})
            .to_numpy(),
            "task_id": cells["task_id"].astype(str).to_numpy(),
            "seed": run["seed"].to_numpy(),
            "fold": cells["fold"].astype(str).to_numpy(),
            "metric": metric,
            "together": cells["value"].to_numpy(),
            "size": run["tasks"].map({text: len(tasks) for text, tasks in sets.items()}).to_numpy(),
        }
    )
    key = ["task_id", "seed", "fold"]
    single = table["size"] == 1
    alone = (
        table[single]
        .groupby(key)["together"]
        .agg(alone=lambda values: values.mean(skipna=False), alone_std="std", alone_runs="size")
    )
    table = pd.concat([table[~single], table[single].drop_duplicates(key)]).join(alone, on=key)
    table["together"] = table["together"].where(table["size"] > 1, table["alone"])
    known = pd.MultiIndex.from_frame(table[key]).isin(alone.index)
    if not known.all():
        lost = table[~known].iloc[0]
        raise RelataskError(
            f"task {lost['task_id']!r} has no run by itself under seed {lost['seed']}; plan again."
        )
    sign = -1.0 if lower_is_better else 1.0
    table["gain"] = sign * (table["together"] - table["alone"]) / table["alone"]
    order = ["task_set_id", "seed", "fold", "task_id"]
    return table.drop(columns="size").sort_values(order, kind="stable", ignore_index=True)


def gains_frame(gains: GainTable, metric: str) -> pd.DataFrame:
    """Return gains that others collected as table "gains"; the metrics they are made of are unknown."""
    names = set_ids(gains)
    row, column = np.nonzero(gains.sets)
    parts = [
        pd.DataFrame(
            {
                "task_set_id": np.array(names)[row],
                "task_id": np.array(gains.tasks)[column],
                "seed": None,
                "fold": fold,
                "metric": metric,
                "alone": None,
                "alone_std": None,
                "alone_runs": None,
                "together": None,
                "gain": table[row, column],
            }
        )
        for fold, table in zip(FOLDS, (gains.valid, gains.test), strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def gain_table(gains: pd.DataFrame, tasks: Sequence[str]) -> GainTable:
    """Return a table "gains" as arrays, averaged over seeds; sets by size, then by the order of `tasks`.

    Raises:
        RelataskError: a task's gain is undefined everywhere, as where a fold has one class only.
    """
    column = {task: number for number, task in enumerate(tasks)}
    mean = gains.groupby(["task_set_id", "fold", "task_id"])["gain"].mean()
    names = mean.index.get_level_values("task_set_id").unique()
    row = {name: number for number, name in enumerate(names)}
    values = {fold: np.full((len(names), len(tasks)), np.nan) for fold in FOLDS}
    member = np.zeros((len(names), len(tasks)), bool)
    rows = mean.index.get_level_values("task_set_id").map(row).to_numpy()
    columns = mean.index.get_level_values("task_id").map(column).to_numpy()
    folds = mean.index.get_level_values("fold").to_numpy()
    member[rows, columns] = True
    for fold in FOLDS:
        here = folds == fold
        values[fold][rows[here], columns[here]] = mean.to_numpy()[here]
    undefined = np.any([member & np.isnan(table) for table in values.values()], axis=(0, 1))
    if undefined.any():
        named = ", ".join(task for task, lost in zip(tasks, undefined, strict=True) if lost)
        raise RelataskError(
            f"gains are undefined, as where a fold has one class only, of: {named}; leave these tasks out."
        )
    order = in_order(member)
    return GainTable(list(tasks), member[order], values["valid"][order], values["test"][order])
