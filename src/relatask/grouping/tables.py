"""Estimates and choices of groups as tables on disk."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.files import require_recorded
from relatask.core.layout import in_dataset
from relatask.core.tables import read_table
from relatask.grouping.contract import Estimate
from relatask.grouping.gains import GainTable, members
from relatask.grouping.group_search import Grouping, Limits, choose_groups
from relatask.plan.task_sets import task_set_id

log = logging.getLogger(__name__)


def set_ids(gains: GainTable) -> list[str]:
    """Return the names of the task sets of a table of gains."""
    return [task_set_id([gains.tasks[task] for task in np.flatnonzero(row)]) for row in gains.sets]


def estimates_frame(strategy: str, gains: GainTable, estimates: Iterable[Estimate]) -> pd.DataFrame:
    """Return table "estimates" of one strategy."""
    row, column = np.nonzero(gains.sets)
    names = pd.Categorical.from_codes(row, pd.Index(set_ids(gains)))
    tasks = pd.Categorical.from_codes(column, pd.Index(gains.tasks))
    parts = [
        pd.DataFrame(
            {
                "strategy": strategy,
                "rounds": pd.array([estimate.rounds] * len(row), dtype="Int32"),
                "seed": estimate.seed,
                "task_set_id": names,
                "task_id": tasks,
                "estimate": estimate.table[row, column],
                "trained": estimate.trained[row],
            }
        )
        for estimate in estimates
    ]
    return pd.concat(parts, ignore_index=True)


def sets_of(estimates: pd.DataFrame, tasks: Sequence[str]) -> np.ndarray:
    """Return the task sets of a table "estimates", bool [S, N], in the order of all tables of gains."""
    named = estimates[["task_set_id", "task_id"]].drop_duplicates().groupby("task_set_id", observed=True)
    return members([list(rows) for _, rows in named["task_id"]], tasks)


def read_estimates(
    frame: pd.DataFrame, gains: GainTable
) -> dict[tuple[str, int | None], dict[int, Estimate]]:
    """Return (strategy, rounds) -> seed -> estimate, from table "estimates" of a collection.

    Raises:
        RelataskError: it is of other task sets than the gains.
    """
    row = {name: number for number, name in enumerate(set_ids(gains))}
    column = {task: number for number, task in enumerate(gains.tasks)}
    found: dict[tuple[str, int | None], dict[int, Estimate]] = {}
    frame = frame.assign(rounds=frame["rounds"].fillna(-1))
    key: Any
    for key, rows in frame.groupby(["strategy", "rounds", "seed"], sort=False, observed=True):
        strategy, rounds, seed = str(key[0]), None if key[1] < 0 else int(key[1]), int(key[2])
        places = rows["task_set_id"].map(row), rows["task_id"].map(column)
        if len(rows) != gains.sets.sum() or places[0].isna().any() or places[1].isna().any():
            raise RelataskError(
                f"the estimates of {strategy} are of other task sets than the gains; estimate again."
            )
        at = tuple(place.to_numpy(np.int64) for place in places)
        table, trained = np.full(gains.sets.shape, np.nan), np.zeros(len(gains.sets), bool)
        table[at] = rows["estimate"].to_numpy()
        trained[at[0]] = rows["trained"].to_numpy()
        found.setdefault((strategy, rounds), {})[seed] = Estimate(rounds, seed, table, trained)
    return found


def choose_all(
    gains: GainTable,
    estimates: Mapping[tuple[str, int | None], Mapping[int, Estimate]],
    budgets: Sequence[int],
    limits: Limits,
    exact: bool | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return tables "groups" and "groupings": for every estimate and budget, the groups and their worth.

    A budget of groups that cannot hold all tasks is left out, with a warning. The budget of `limits` is not
    read, the rest is.
    """
    groups, groupings = [], []
    names = set_ids(gains)
    for (strategy, rounds), by_seed in estimates.items():
        for seed, estimate in by_seed.items():
            for budget in budgets:
                try:
                    chosen = choose_groups(estimate.table, replace(limits, budget=budget), exact)
                except RelataskError as error:
                    log.warning("%s, budget %d is left out: %s", strategy, budget, error)
                    continue
                key = {"strategy": strategy, "rounds": rounds, "seed": seed, "budget": budget}
                groups += _group_rows(key, names, gains, estimate.table, chosen)
                counts = {"n_groups": len(chosen.rows), "n_trained": int(estimate.trained.sum())}
                served = {
                    "estimate": chosen.value,
                    "valid_gain": float(chosen.served(gains.valid).mean()),
                    "test_gain": float(chosen.served(gains.test).mean()),
                }
                groupings.append({**key, **counts, **served})
    if not groupings:
        raise RelataskError("no budget holds every task; allow more or greater groups.")
    return with_rounds(pd.DataFrame(groups)), with_rounds(pd.DataFrame(groupings))


def _group_rows(
    key: Mapping[str, object], names: list[str], gains: GainTable, estimate: np.ndarray, chosen: Grouping
) -> list[dict[str, object]]:
    """One row for each task of each group."""
    return [
        {
            **key,
            "group": number,
            "task_set_id": names[row],
            "task_id": gains.tasks[task],
            "serves": bool(chosen.serves[task] == number),
            "estimate": estimate[row, task],
            "valid_gain": gains.valid[row, task],
            "test_gain": gains.test[row, task],
        }
        for number, row in enumerate(chosen.rows)
        for task in np.flatnonzero(gains.sets[row])
    ]


def with_rounds(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose column `rounds`, a number or None, has the type of tables on disk."""
    return frame.assign(rounds=pd.array(frame["rounds"].to_list(), dtype="Int32"))


def affinities_frame(affinities: np.ndarray, tasks: Sequence[str]) -> pd.DataFrame:
    """Return table "affinities" of [N, N], entry [t, b] that of b onto t; NaN is left out."""
    task, partner = np.nonzero(~np.isnan(affinities))
    names = np.array(tasks)
    return pd.DataFrame(
        {"task_id": names[task], "partner": names[partner], "affinity": affinities[task, partner]}
    )


def read_pairs(name: str, path: Path, tasks: Sequence[str]) -> np.ndarray:
    """Return table "affinities" (NaN where it has none) or "relations" (0) as float64 [N, N].

    Relations are the same both ways; of related tasks outside `tasks` nothing is said.

    Raises:
        RelataskError: the relations are not those which dataset.json beside them describes.
    """
    if name == "relations":
        require_recorded(path.with_name(in_dataset("dataset")), path)
    frame = read_table(name, path)
    column = {task: number for number, task in enumerate(tasks)}
    ends, value = (
        (("task_id", "partner"), "affinity") if name == "affinities" else (("task_i", "task_j"), "score")
    )
    frame = frame[frame[ends[0]].isin(tasks) & frame[ends[1]].isin(tasks)]
    pairs = np.full((len(tasks),) * 2, np.nan if name == "affinities" else 0.0)
    one, other = (frame[end].map(column).to_numpy(np.int64) for end in ends)
    pairs[one, other] = frame[value].to_numpy()
    if name == "relations":
        pairs[other, one] = frame[value].to_numpy()
    return pairs
