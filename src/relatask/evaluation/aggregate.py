"""Cells of metrics to means over tasks, spreads over seeds and deltas to the baseline.

A *cell* is (data set, split, method, seed, task, fold, metric). Runs that train parts of one method's
tasks are one result: what counts is the label in the plan, not the run. Nothing is rounded here.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.evaluation.metrics import METRICS
from relatask.evaluation.spread import spread_by

RESULT = ["dataset", "split", "method", "fold", "metric"]  # what one row of the summary stands for
CELL = [*RESULT, "seed", "task_id"]
TRAINING = [*CELL, "restart"]  # a cell of one training, where a method is trained several times on a split


def runs_of(plan: pd.DataFrame, collection: str | None) -> pd.DataFrame:
    """Return the runs that the gains of a collection are made of, or with None those that tables show.

    Raises:
        RelataskError: the plan has no such run.
    """
    chosen = plan["collection"].isna() if collection is None else plan["collection"] == collection
    if not chosen.any():
        what = "for the tables" if collection is None else f"of the collection {collection!r}"
        raise RelataskError(f"the plan has no run {what}; plan again.")
    return plan[chosen].reset_index(drop=True)


def join_plan(plan: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of `metrics`, means over the restarts of a method on one split.

    Raises:
        RelataskError: as `trainings`.
    """
    cells = trainings(plan, metrics)
    if not cells.duplicated(CELL).any():
        return cells.drop(columns="restart")
    return cells.groupby(CELL, observed=True, sort=False)["value"].mean().reset_index()


def trainings(plan: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """Return `metrics` with data set, split, method (its label), seed and restart from `plan`.

    Raises:
        RelataskError: a run is not in the plan, or two runs of one method hold the same cell.
    """
    runs = plan[["run_id", "dataset", "split", "label", "seed", "restart"]].set_index("run_id")
    metrics = metrics.assign(run_id=metrics["run_id"].astype("category"))
    place = runs.index.get_indexer(metrics["run_id"].cat.categories)
    used = np.unique(metrics["run_id"].cat.codes)
    if (lost := used[place[used] < 0]).size:
        run_id = metrics["run_id"].cat.categories[lost[0]]
        raise RelataskError(f"the metrics hold run {run_id!r}, which the plan does not know; evaluate again.")
    row = place[metrics["run_id"].cat.codes]
    cells = metrics[["task_id", "fold", "metric", "value"]].copy()
    for column, source in (("dataset", "dataset"), ("split", "split"), ("method", "label")):
        codes, names = pd.factorize(runs[source], sort=True)
        cells[column] = pd.Categorical.from_codes(codes[row], names)
    for column in ("seed", "restart"):
        cells[column] = runs[column].to_numpy()[row]
    twice = cells.duplicated(TRAINING)
    if twice.any():
        cell = cells[twice].iloc[0]
        raise RelataskError(
            f"two runs of the plan both hold task {cell['task_id']!r} of method {cell['method']!r} on "
            f"{cell['dataset']}, split {cell['split']}-{cell['seed']}; give the methods different labels."
        )
    return cells[[*TRAINING, "value"]]


def published_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """Return table "cells" of the test folds of trainings, in an order that does not depend on theirs."""
    own = cells[cells["fold"].astype(str) == "test"]
    key = ["dataset", "split", "method", "metric", "task_id", "seed", "restart"]
    table = own[[*key, "value"]].sort_values(key, ignore_index=True)
    return table.astype(
        {**dict.fromkeys(key[:5], "category"), **dict.fromkeys(key[5:], np.int32), "value": np.float32}
    )


def mixed_units(tasks: pd.DataFrame) -> bool:
    """Whether the measured values of tasks are in several units, of which none is one."""
    return tasks.loc[tasks["kind"] == "real", "unit"].fillna("").nunique() > 1


def without_mean(cells: pd.DataFrame, mixed: Collection[str]) -> pd.Series:
    """Return which cells, or rows of the summary, are of a metric with a unit on a data set with several.

    An error of 10 nM and one of 0.3 log units have no mean: tables say so, and each task has its own.

    Args:
        cells: with columns `dataset` and `metric`.
        mixed: data sets whose tasks have several units.
    """
    in_unit = [name for name, metric in METRICS.items() if metric.in_unit]
    return cells["dataset"].isin(mixed) & cells["metric"].isin(in_unit)


def differences(cells: pd.DataFrame, baseline: str) -> pd.Series:
    """Value minus the baseline's, for every cell that is defined in both; indexed by `CELL`."""
    key = [column for column in CELL if column != "method"]
    theirs = cells.loc[cells["method"] == baseline, [*key, "value"]].dropna(subset="value")
    both = cells.dropna(subset="value").merge(theirs, on=key, suffixes=("", "_baseline"))
    both["difference"] = both["value"] - both["value_baseline"]
    return both.set_index(CELL)["difference"]


def summarise(cells: pd.DataFrame, baseline: str, mixed: Collection[str] = ()) -> pd.DataFrame:
    """Return the `summary` table: mean over tasks where defined, then mean and spread over seeds.

    `delta` is the mean over seeds of the mean over tasks of the difference to the baseline, over the
    (seed, task) cells defined in both, so that a method is never credited with easier tasks.
    `n_undefined` counts the (seed, task) cells without a value among all tasks that any method's
    metrics name on the data set and fold times the method's seeds; a cell that is missing counts.
    Metrics that have a unit have no mean on the data sets `mixed`, whose tasks have several.
    """
    seeds = cells.groupby(CELL[:-1], observed=True)["value"].mean()
    table = spread_by(seeds, RESULT).rename(columns={"count": "n_seeds"})
    defined = cells.dropna(subset="value").groupby(RESULT, observed=True)["task_id"]
    table["n_tasks"] = defined.nunique()
    table["n_defined"] = defined.size()
    seed_differences = differences(cells, baseline).groupby(CELL[:-1], observed=True).mean()
    table["delta"] = seed_differences.groupby(RESULT, observed=True).mean()
    table = table.fillna({"n_tasks": 0, "n_defined": 0}).reset_index()
    tasks = cells.groupby(["dataset", "fold", "metric"], observed=True)["task_id"].nunique()
    planned_seeds = cells.groupby(["dataset", "split", "method"], observed=True)["seed"].nunique()
    n_tasks = tasks.reindex(pd.MultiIndex.from_frame(table[["dataset", "fold", "metric"]])).to_numpy(
        dtype=int
    )
    expected = n_tasks * planned_seeds.reindex(
        pd.MultiIndex.from_frame(table[["dataset", "split", "method"]])
    ).to_numpy(dtype=int)
    table["n_undefined"] = expected - table["n_defined"].to_numpy(dtype=int)
    table = table.astype({"n_tasks": np.int32, "n_undefined": np.int32, "n_seeds": np.int32})
    for column in RESULT:
        table[column] = table[column].astype(object)
    table.loc[without_mean(table, mixed), ["mean", "std", "delta"]] = np.nan
    return table.sort_values(RESULT, ignore_index=True)


def per_task(cells: pd.DataFrame, metric: str, fold: str = "test") -> pd.DataFrame:
    """Mean, spread and number of seeds of every (data set, split, task, method) of one metric."""
    chosen = cells[(cells["metric"] == metric) & (cells["fold"] == fold)]
    key = ["dataset", "split", "task_id", "method"]
    table = spread_by(chosen.set_index([*key, "seed"])["value"], key)
    return table.rename(columns={"count": "n_seeds"}).reset_index()
