"""The dependency between tasks that a method learned, as matrices, for tables and figures of it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from relatask.data.tasks import task_positions
from relatask.publishing.figure_data import with_plan
from relatask.publishing.inputs import Inputs

# The table that methods save: weight of a source task for a target task, in each run.
SAVED = {"dependency": ("source", "target", "weight")}


@dataclass(frozen=True)
class Learned:
    """What one method learned on one split of a data set: D of each of S seeds."""

    method: str
    split: str
    seeds: list[int]
    tasks: list[str]  # ids of T tasks, in the order of the data set
    weights: np.ndarray  # float64 [S, T, T]: of source i for target j; NaN where the method has none

    @property
    def mean(self) -> np.ndarray:
        """Mean over seeds, [T, T]."""
        return self.weights.mean(0)


def learned(inputs: Inputs, dataset: str) -> list[Learned]:
    """Return what each method of a study learned on each split of a data set, in the order of the study."""
    found = []
    table = with_plan(inputs.saved("dependency"), inputs.plan)
    table = table[table["dataset"] == dataset]
    names = inputs.of_dataset(dataset, "tasks", ["task_id"])["task_id"].tolist()
    for split in inputs.study.splits.schemes:
        for method in inputs.methods:
            rows = table[(table["split"] == split) & (table["method"] == method)]
            if len(rows):
                found.append(_learned(rows, method, split, names))
    return found


def _learned(rows: pd.DataFrame, method: str, split: str, names: list[str]) -> Learned:
    there = {*rows["source"].astype(str), *rows["target"].astype(str)}
    tasks = [task for task in names if task in there]
    seeds = sorted(rows["seed"].unique().tolist())
    weights = np.full((len(seeds), len(tasks), len(tasks)), np.nan)
    source, target = (task_positions(rows[end], tasks) for end in ("source", "target"))
    weights[rows["seed"].map(seeds.index), source, target] = rows["weight"]
    return Learned(method, split, seeds, tasks, weights)


def symmetric(weights: np.ndarray) -> np.ndarray:
    """Return the mean of a dependency and its transpose, [.., T, T]."""
    return (weights + np.swapaxes(weights, -1, -2)) / 2
