"""The columns that an ensemble's prediction has for one task, and what stands in them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from relatask.data.tasks import Task
from relatask.evaluation.calibration import Calibration, TaskCalibration
from relatask.models.wanted import Wanted

SPREAD = "_unc"  # of a task's name: the column of the spread over members
CALIBRATED, LOW, HIGH, SET, ERROR = "_calibrated", "_low", "_high", "_set", "_error"
OF_KIND = {"binary": (CALIBRATED,), "real": (LOW, HIGH), "class": (SET,)}
BETWEEN = ";"  # classes of a set


def suffixes(kind: str, calibrated: bool, errors: bool, members: Sequence[int]) -> list[str]:
    """Return what follows a task's name in its columns, in their order.

    Args:
        kind: of the task.
        calibrated: whether the ensemble has a calibration.
        errors: whether it says the error that is expected.
        members: numbers of those members that predict the task and shall be shown.
    """
    own = OF_KIND[kind] if calibrated else ()
    return ["", SPREAD, *own, *([ERROR] if errors else []), *(f"_{number:03d}" for number in members)]


def joined(answers: Sequence[pd.Series]) -> tuple[np.ndarray, np.ndarray]:
    """Return what members say of a task together, and how much they differ."""
    if not answers:
        return np.empty(0), np.empty(0)
    found = pd.concat([answer.reset_index(drop=True) for answer in answers], axis=1)
    if all(answer.dtype.kind == "f" for answer in answers):
        spread = found.std(axis=1, ddof=1) if len(answers) > 1 else found.iloc[:, 0] * np.nan
        return found.mean(axis=1).to_numpy(), spread.to_numpy()
    chosen = found.mode(axis=1)[0]
    return chosen.to_numpy(), found.ne(chosen, axis=0).mean(axis=1).to_numpy()


def calibrated(
    found: Calibration, task: Task, values: np.ndarray, similarity: np.ndarray | None, wanted: Wanted
) -> dict[str, np.ndarray]:
    """Return suffix -> what the calibration says of an ensemble's predictions of a task, [n] each.

    Cells are empty where the task has too few labels, and where there is no prediction, as of a graph for a
    task of nodes.

    Args:
        found: the ensemble's calibration.
        task: of which the predictions are.
        values: the predictions, float [n] or names of classes.
        similarity: to the nearest molecule of training, float [n], if it was looked for.
        wanted: what shall be said.
    """
    own = found.tasks[task.task_id]
    there = ~pd.isna(values)
    columns: dict[str, np.ndarray] = {}
    if task.kind == "binary":
        columns[CALIBRATED] = own.probabilities(values.astype(np.float64))
    elif task.kind == "real":
        half = own.half_widths(wanted.level, found.relative("real", similarity), len(values))
        half = np.where(np.isfinite(half), half, np.nan)
        columns |= {LOW: values - half, HIGH: values + half}
    else:
        columns[SET] = _sets(own, task, values, wanted.level)
    if similarity is not None and found.limit is not None:
        columns[ERROR] = np.where(there, found.errors(own, similarity), np.nan)
    return columns


def _sets(own: TaskCalibration, task: Task, values: np.ndarray, level: float) -> np.ndarray:
    """Return the names of the classes of each set, joined, object [n]."""
    sets = {}
    for place, name in enumerate(task.classes if not own.lacks(level) else ()):
        inside = own.set_of(place, level, len(task.classes))
        sets[name] = BETWEEN.join(task.classes[one] for one in inside)
    return np.array([sets.get(value, np.nan) for value in values], object)
