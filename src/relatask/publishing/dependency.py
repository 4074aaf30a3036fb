"""The dependency between tasks that a method learned, as matrices, for tables and figures of it."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from relatask.data.tasks import task_positions
from relatask.evaluation.mantel import MIN_TASKS, complete, mantel
from relatask.publishing.figure_data import with_plan
from relatask.publishing.inputs import Inputs


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


def learned(inputs: Inputs, dataset: str, name: str = "dependency") -> list[Learned]:
    """Return what each method of a study learned on each split of a data set, in the order of the study.

    Args:
        inputs: of the study.
        dataset: its name.
        name: of the table that methods save, with the weight of a source task for a target task in each
            run; "item_dependency" has it for single items, of which the mean is taken.
    """
    found = []
    saved = inputs.saved(name).astype({"weight": float})
    mean = saved.groupby(["run_id", "source", "target"], observed=True, sort=False)["weight"].mean()
    table = with_plan(mean.reset_index(), inputs.plan)
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


def agreement(one: np.ndarray, other: np.ndarray, permutations: int) -> tuple[float, float, np.ndarray]:
    """Return rank correlation and p value over the tasks whose pairs are all defined, and these tasks.

    Args:
        one: symmetric, [T, T], NaN where a pair is undefined.
        other: of the same form.
        permutations: of Mantel's test.
    """
    kept = complete(~np.isnan(one) & ~np.isnan(other))
    if len(kept) < MIN_TASKS:
        return np.nan, np.nan, kept
    inside = np.ix_(kept, kept)
    return *mantel(one[inside], other[inside], permutations), kept


def between_seeds(weights: np.ndarray) -> float:
    """Return the mean rank correlation of the matrices of each two seeds, NaN where none is defined.

    It says how far what was learned is reproducible, and bounds how far it can agree with anything else: a
    measurement that agrees with its repetition by r agrees with another by the root of r at most (Spearman,
    1904).

    Args:
        weights: [S, T, T].
    """
    both = symmetric(weights)
    found = [agreement(one, other, 0)[0] for one, other in combinations(both, 2)]
    defined = [value for value in found if not np.isnan(value)]
    return float(np.mean(defined)) if defined else np.nan
