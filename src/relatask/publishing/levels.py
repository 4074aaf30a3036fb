"""Rows of a study by the levels that they train (graphs, nodes, pairs of nodes), and test values by level."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from relatask.core.errors import RelataskError
from relatask.evaluation.aggregate import join_plan
from relatask.evaluation.metrics import METRICS
from relatask.publishing.inputs import Inputs
from relatask.publishing.published_values import Published, lookup

LEVELS = ("graph", "node", "pair")
NAMES = {"graph": "graphs", "node": "nodes", "pair": "links"}  # in tables and figures
SHORT = {"graph": "GC", "node": "NC", "pair": "LP"}  # in config/published.csv, as SAME's paper prints them
RESULT = ["dataset", "split", "method", "level"]


@dataclass(frozen=True)
class Row:
    """A row of the study: its method with the options that the plan gives it."""

    label: str
    method: str
    encoder: str | None
    options: Mapping[str, Any]

    def trained(self, there: Sequence[str]) -> tuple[str, ...]:
        """Return which of a data set's levels the row trains; none where it has no option `trains`."""
        trains = str(self.options.get("trains", ""))
        return tuple(level for level in there if trains == "all" or level in trains.split("_"))

    @property
    def reads_heads(self) -> bool:
        """Whether levels that it trains are scored by its heads; the others are by a linear classifier."""
        return self.options.get("reads") == "heads"

    @property
    def protocol(self) -> str:
        """Whether it is `held_out`, or as `released`."""
        return str(self.options.get("protocol", "held_out"))

    def is_single(self, level: str, there: Sequence[str]) -> bool:
        """Whether it is a classical network that is trained and read end to end for one level alone."""
        own = self.method == "joint" and self.reads_heads and not self.options.get("finetuning")
        return own and self.trained(there) == (level,)


def rows_of(inputs: Inputs) -> list[Row]:
    """Return the rows in the order of the study."""
    plan = inputs.plan.drop_duplicates("label").set_index("label")
    found = []
    for label in inputs.methods:
        if label in plan.index:
            row = plan.loc[label]
            options = json.loads(str(row["hyperparameters"])).get("method", {})
            encoder: str | None = None if pd.isna(row["encoder"]) else str(row["encoder"])
            found.append(Row(label, str(row["method"]), encoder, options))
    return found


def single_of(rows: Sequence[Row], row: Row, level: str, there: Sequence[str]) -> Row | None:
    """Return the single-task row that a row is compared with at a level; None: the study has none.

    It has the row's encoder and protocol, if there is such a row. Of links, which are what a protocol is
    about, it has the same protocol in any case.
    """
    single = [one for one in rows if one.is_single(level, there)]
    if level == "pair":
        single = [one for one in single if one.protocol == row.protocol]
    return min(
        single, key=lambda one: (one.encoder != row.encoder, one.protocol != row.protocol), default=None
    )


def levels_of(inputs: Inputs, dataset: str) -> list[str]:
    """Return the levels of a data set's tasks, in the order of `LEVELS`."""
    inputs.require("dataset")

    def read() -> list[str]:
        there = set(inputs.of_dataset(dataset, "tasks", ["level"])["level"])
        return [level for level in LEVELS if level in there]

    return inputs.once(("levels", dataset), read)


def level_values(inputs: Inputs) -> pd.DataFrame:
    """Return the test value of each task in the task's own metric.

    Returns:
        Columns dataset, split, method, seed, task_id, level, metric, value (NaN where it is undefined).

    Raises:
        RelataskError: the study lacks the metric of a task.
    """
    plan, metrics = inputs.plan, inputs.metrics
    own = [
        inputs.of_dataset(dataset, "tasks", ["task_id", "level", "metric"]).assign(dataset=dataset)
        for dataset in inputs.study.datasets
    ]
    tasks = pd.concat(own, ignore_index=True).astype(object)
    tasks = tasks[tasks["level"].isin(LEVELS)]
    lost = tasks[~tasks["metric"].isin(inputs.study.metrics)]
    if len(lost):
        task = lost.iloc[0]
        raise RelataskError(
            f"metrics: task {task['task_id']!r} of {task['dataset']} is judged by {task['metric']}, which "
            "the study does not compute; add it."
        )
    test = metrics[(metrics["fold"] == "test") & metrics["metric"].isin(set(tasks["metric"]))]
    key = ["dataset", "task_id", "metric"]
    cells = (
        join_plan(plan, test).astype(dict.fromkeys([*key, "split", "method"], object)).merge(tasks, on=key)
    )
    return cells[["dataset", "split", "method", "seed", "task_id", "level", "metric", "value"]]


def level_means(values: pd.DataFrame) -> pd.Series:
    """Return the mean over a level's tasks, where defined, of each (data set, split, method, level, seed)."""
    return values.groupby([*RESULT, "seed"], sort=False)["value"].mean().dropna()


def relative_changes(
    inputs: Inputs, dataset: str, means: pd.Series, row: Row, levels: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return how far a row is from the single-task rows of some levels, in percent of their values.

    That is 100 (ours - single) / single of one data set, split, seed and level, as Maninis et al. (2019).

    Args:
        inputs: of the study.
        dataset: its name.
        means: as `level_means`.
        row: of the study.
        levels: of the data set.

    Returns:
        Columns split, seed, level, change of what both have; and the levels without a single-task row.
    """
    there, rows = levels_of(inputs, dataset), rows_of(inputs)
    parts, missing = [], []
    own = means[means.index.get_level_values("dataset") == dataset].reset_index()
    for level in levels:
        single = single_of(rows, row, level, there)
        if single is None:
            missing.append(level)
            continue
        at = own[own["level"] == level]
        ours, alone = (
            at.loc[at["method"] == label].set_index(["split", "seed"])["value"]
            for label in (row.label, single.label)
        )
        change = (100 * (ours - alone) / alone.where(alone != 0)).dropna().rename("change")
        parts.append(change.reset_index().assign(level=level))
    columns = ["split", "seed", "level", "change"]
    return (pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)), missing


def printed(inputs: Inputs, dataset: str, row: Row, levels: Sequence[str], metric: str) -> Published | None:
    """Return what the paper prints for a row of some levels: of one level a metric, of several delta_m."""
    names = {method.label: method.published for method in inputs.study.methods}
    name, column = names[row.label], inputs.study.datasets[dataset].published
    if not name or not column or not levels:
        return None
    short = short_of(levels)
    key = (name, f"{column} {short}") if metric in METRICS else (f"{name} {short}", column)
    return lookup(inputs.published, inputs.study.paper, metric).get(key)


def short_of(levels: Sequence[str]) -> str:
    """Return how the paper names some levels, e.g. "GC+NC"."""
    return "+".join(SHORT[level] for level in levels)
