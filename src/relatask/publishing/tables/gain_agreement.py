"""Table `gain_agreement`: how much gains of one table say of another's over the same tasks."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from relatask.grouping.gains import GainTable
from relatask.publishing.collection import Collection
from relatask.publishing.formatting import (
    Table,
    number,
)
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "Whether two tables of gains over the same tasks agree: those of two seeds, of two networks, "
        "or ours and the authors'. Spearman's rank correlation over the task sets that both hold."
    ),
    "columns": {
        "collection": "string",
        "other": "string",  # another of the same tasks
        "fold": "string",
        "task_sets": "int32",  # of two or more tasks, in both
        "gains": "int32",
        "correlation": "float64?",  # Spearman's
        "correlation_by_task": "float64?",  # mean of each task's own
        "same_sign_percent": "float64?",
    },
    "when": ("grouping_twins",),
    "needs": ("gains",),
    "category": "Task groups",
}


def make(inputs: Inputs) -> Table:
    """(Pair of collections, fold): Spearman's rank correlation of their gains on the task sets of both."""
    assert inputs.study.grouping is not None
    named = {collection.name: collection for collection in inputs.collections}
    rows = [row for one, other in inputs.study.grouping.twins for row in _agreement(named[one], named[other])]
    data = pd.DataFrame(rows)
    body = [
        [
            *(row["collection"], row["other"], row["fold"]),
            *(number(row[name], 0) for name in ("task_sets", "gains")),
            *(number(row[name], 3) for name in ("correlation", "correlation_by_task")),
            number(row["same_sign_percent"], 1),
        ]
        for row in records(data)
    ]
    notes = [
        "Gains of tasks in sets of two or more that both tables hold. correlation: Spearman's, of all; by "
        "task: the mean of each task's own, which does not count that some tasks gain more than others. "
        "same sign: share of gains that help, or hurt, in both.",
        inputs.reduced,
    ]
    header = ["gains", "other gains", "fold", "task sets", "gains of tasks", "correlation", "by task"]
    header += ["same sign (%)"]
    title = f"{inputs.study.title}: do gains agree?"
    return Table("gain_agreement", title, data, header, body, 3, notes)


def _agreement(one: Collection, other: Collection) -> list[dict[str, Any]]:
    own, rows, other_rows = _common(one.gains, other.gains)
    columns = [other.gains.tasks.index(task) for task in one.gains.tasks]
    found = []
    for fold in ("valid", "test"):
        values = getattr(one.gains, fold)[rows]
        others = getattr(other.gains, fold)[np.ix_(other_rows, columns)]
        by_task = [
            float(spearmanr(values[member, task], others[member, task]).statistic)
            for task, member in enumerate(own.T)
            if member.sum() > 2
        ]
        same = np.sign(values[own]) == np.sign(others[own])
        found.append(
            {
                **{"collection": one.name, "other": other.name, "fold": fold},
                **{"task_sets": len(rows), "gains": int(own.sum())},
                "correlation": float(spearmanr(values[own], others[own]).statistic)
                if own.sum() > 2
                else None,
                "correlation_by_task": float(np.mean(by_task)) if by_task else None,
                "same_sign_percent": 100 * float(same.mean()) if len(same) else None,
            }
        )
    return found


def _common(one: GainTable, other: GainTable) -> tuple[np.ndarray, list[int], list[int]]:
    """Sets of two or more tasks in both tables, bool [S, N] of the first, and their rows in each."""
    columns = [other.tasks.index(task) for task in one.tasks]
    row_of = {row.tobytes(): place for place, row in enumerate(np.ascontiguousarray(other.sets[:, columns]))}
    pairs = [
        (place, row_of[row.tobytes()])
        for place, row in enumerate(one.sets)
        if row.sum() > 1 and row.tobytes() in row_of
    ]
    rows, other_rows = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return one.sets[rows].reshape(len(rows), len(one.tasks)), rows, other_rows
