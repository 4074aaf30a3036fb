"""Weights of labels that a user gives, held against the tables of a data set before anything is trained."""

from typing import TYPE_CHECKING, Any

from relatask.config.weights import WeightsConfig
from relatask.core.columns.data import SAMPLE_WEIGHT
from relatask.core.errors import RelataskError
from relatask.core.records import suggest

if TYPE_CHECKING:
    import pandas as pd


def with_weights(tables: "dict[str, pd.DataFrame]", weights: WeightsConfig, name: str) -> "pd.DataFrame":
    """Return the items with the column `sample_weight`, float32, where `weights` names a column of theirs.

    Args:
        tables: items, tasks and classes of the data set.
        weights: what the user gives.
        name: of the data set, for messages.

    Raises:
        RelataskError: a task or class is not there, or an item has no number of 0 or more.
    """
    where, items = f"datasets.{name}.weights", tables["items"]
    _check_tasks(weights, tables["tasks"], tables["classes"], where)
    if weights.weight_column is None:
        return items
    return items.assign(**{SAMPLE_WEIGHT: _numbers(items, weights.weight_column, where)})


def _check_tasks(weights: WeightsConfig, tasks: "pd.DataFrame", classes: "pd.DataFrame", where: str) -> None:
    """Refuse weights of tasks and classes that the data set does not have."""
    kind_of = dict(zip(tasks["task_id"], tasks["kind"], strict=True))
    of_tasks: dict[str, Any] = weights.classes if isinstance(weights.classes, dict) else {}
    for key, named in (("tasks", weights.tasks), ("classes", of_tasks)):
        for task in named:
            if task not in kind_of:
                raise RelataskError(
                    f"{where}.{key}: the data set has no task {task!r}, or it was left out "
                    f"(rejected_tasks.parquet).{suggest(task, kind_of)}"
                )
    for task, own in of_tasks.items():
        kind = kind_of[task]
        if kind == "real":
            raise RelataskError(f"{where}.classes.{task}: the task has measured values; remove it.")
        if isinstance(own, int | float) and kind == "class":
            raise RelataskError(
                f"{where}.classes.{task}: a number is the weight of label 1, and the task has several "
                "classes; write the weight of each by its name."
            )
        known = classes.loc[classes["task_id"] == task, "name"].tolist() if kind == "class" else ["0", "1"]
        for label in own if isinstance(own, dict) else ():
            if label not in known:
                raise RelataskError(
                    f"{where}.classes.{task}: there is no class {label!r}.{suggest(label, known)}"
                )


def _numbers(items: "pd.DataFrame", column: str, where: str) -> "pd.Series":
    """Return a column of items as weights."""
    import numpy as np
    import pandas as pd

    if column not in items:
        raise RelataskError(
            f"{where}.weight_column: the items have no column {column!r}; their source keeps none."
        )
    if SAMPLE_WEIGHT in items and column != SAMPLE_WEIGHT:
        raise RelataskError(f"{where}.weight_column: rename the file's own column {SAMPLE_WEIGHT!r}.")
    found = pd.to_numeric(items[column], errors="coerce").astype(np.float32)
    numbers = found.to_numpy()
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        first = items[wrong].iloc[0]
        who = (
            first["source_id"]
            if isinstance(first["source_id"], str)
            else first.get("smiles", first["item_id"])
        )
        cell = "nothing" if pd.isna(first[column]) else repr(first[column])
        raise RelataskError(
            f"{where}.weight_column: {int(wrong.sum())} of {len(items)} items have no weight of 0 or more in "
            f"{column!r}, the first is {who!r} with {cell}; write a number for each, e.g. 1."
        )
    return found
