"""Gains of the task sets that a strategy asks for, each trained when it is asked for.

Journalled like all runs: a selection that was killed asks for the same sets again and finds them.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json
from relatask.core.tables import read_batches
from relatask.evaluation.metrics_table import evaluate_batches
from relatask.grouping.collect import collect_gains
from relatask.plan.spec import RunSpec
from relatask.plan.task_sets import task_set_id
from relatask.shards.shard import Shard

log = logging.getLogger(__name__)


class OnlineGains:
    """Trains a task set under each seed of a collection and says its validation gains.

    Args:
        shard: trains and journals the runs.
        planned: rows of table "plan": the collection's runs of single tasks and of all tasks.
        tasks: N tasks of the collection, the columns of its gains.
        metric: what gains are made of.
        lower_is_better: whether a lower value of it is an improvement.
    """

    def __init__(
        self,
        shard: Shard,
        planned: pd.DataFrame,
        tasks: Sequence[str],
        metric: str,
        lower_is_better: bool,
    ):
        self.shard, self.tasks = shard, list(tasks)
        self.metric, self.lower_is_better = metric, lower_is_better
        records = planned.to_dict("records")
        specs = [replace(RunSpec.from_json(json.loads(row["spec"])), label=row["label"]) for row in records]
        single = np.array([len(spec.tasks) == 1 for spec in specs])
        self.planned, self.alone = planned, planned[single]
        self.templates = {
            spec.seed: (row, spec)
            for row, spec, alone in zip(records, specs, single, strict=True)
            if not alone
        }
        shard.train([spec for spec, alone in zip(specs, single, strict=True) if alone])
        self.metrics_alone = self._metrics(self.alone)
        self.rows: list[dict[str, Any]] = []  # of the plan: runs that were asked for

    def answer(self, member: np.ndarray) -> np.ndarray:
        """Train a set (bool [N]) and return its validation gains, float64 [N], NaN outside.

        Raises:
            RelataskError: the training failed, or the metric of a task is undefined.
        """
        tasks = tuple(sorted(self.tasks[place] for place in np.flatnonzero(member)))
        asked = [(row, replace(spec, tasks=tasks)) for row, spec in self.templates.values()]
        log.info("task set %d: %s", 1 + len(self.rows) // len(asked), ", ".join(tasks))
        self.shard.train([spec for _, spec in asked])
        rows = [_row_of(row, spec) for row, spec in asked]
        self.rows += rows
        runs = pd.DataFrame(rows)
        metrics = pd.concat([self.metrics_alone, self._metrics(runs)]).astype({"run_id": str})
        gains = collect_gains(pd.concat([self.alone, runs]), metrics, self.metric, self.lower_is_better)
        own = gains[(gains["fold"] == "valid") & (gains["task_set_id"] == task_set_id(tasks))]
        found = own.groupby("task_id")["gain"].mean().reindex(self.tasks).to_numpy(np.float64)
        if np.isnan(found[member]).any():
            named = ", ".join(np.array(self.tasks)[member & np.isnan(found)])
            raise RelataskError(
                f"gains are undefined, as where a fold has one class only, of: {named}; leave these out."
            )
        return found

    def plan(self) -> pd.DataFrame:
        """Return table "plan" of all runs that the gains are made of; those asked for have no shard."""
        asked = [row for row in self.rows if row["run_id"] not in set(self.planned["run_id"])]
        table = pd.concat([self.planned, pd.DataFrame(asked, columns=self.planned.columns)])
        return table.reset_index(drop=True)

    def _metrics(self, runs: pd.DataFrame) -> pd.DataFrame:
        """Table "metrics" of runs in the journal."""
        entries = [self.shard.journal.runs / run_id for run_id in runs["run_id"]]
        batches = (
            batch
            for entry in entries
            for batch in read_batches("predictions", entry / "predictions.parquet", by="run_id")
        )
        return evaluate_batches(batches, [self.metric], runs["run_id"].tolist())[0]


def _row_of(template: Mapping[Any, Any], spec: RunSpec) -> dict[str, Any]:
    """Row of the plan of a run that differs from the template's in its tasks."""
    own = {"run_id": spec.run_id, "tasks": canonical_json(spec.tasks), "spec": spec.canonical()}
    return {**template, **own, "shard": None}
