"""Whether intervals, sets and calibrated probabilities hold, on predictions that they were not made from."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from relatask.core.kinds import Kind
from relatask.evaluation.calibration import Calibration, TaskCalibration, calibration_of
from relatask.evaluation.groups import Groups
from relatask.evaluation.metrics import METRICS, Metric

LEVELS = (0.8, 0.9)
STREAM = 11  # of draws
PARTS = 5  # where all items were tested by the same models


def with_parts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return predictions out of fold with the part of each item: the fold that it was tested in.

    Where there is one fold alone, items are drawn into five parts. No item is in two parts.
    """
    if frame["fold"].nunique() > 1:
        return frame.assign(part=pd.factorize(frame["fold"], sort=True)[0])
    items = np.sort(frame["item_id"].unique())
    part = np.random.default_rng([0, STREAM]).permutation(len(items)) % PARTS
    return frame.assign(part=part[np.searchsorted(items, frame["item_id"])])


def cross_fitted(
    frame: pd.DataFrame, kinds: Mapping[str, Kind], levels: Sequence[float] = LEVELS
) -> pd.DataFrame:
    """Return what is said of each prediction out of fold by all parts but its own.

    Args:
        frame: item_id, task_id, label, score, similarity and `part`.
        kinds: task id -> kind.
        levels: of intervals and sets.

    Returns:
        The rows of `frame` by task, with `calibrated`, and for each level such as 0.9 `held_90` (1 or 0;
        NaN: nothing is said) and `width_90` (of an interval, or classes in a set).
    """
    parts = []
    for part in sorted(frame["part"].unique()):
        rest, own = frame[frame["part"] != part], frame[frame["part"] == part]
        found = calibration_of(rest, kinds)
        for task, rows in own.groupby("task_id", observed=True):
            parts.append(_said(found, found.tasks[str(task)], rows, levels))
    return pd.concat(parts, ignore_index=True) if parts else frame.assign(calibrated=np.nan)


def _said(
    found: Calibration, task: TaskCalibration, rows: pd.DataFrame, levels: Sequence[float]
) -> pd.DataFrame:
    label, score = rows["label"].to_numpy(np.float64), rows["score"].to_numpy(np.float64)
    columns: dict[str, np.ndarray] = {"calibrated": np.full(len(rows), np.nan)}
    if task.kind == "binary":
        columns["calibrated"] = task.probabilities(score)
    for level in levels if task.kind != "binary" and task.n else ():
        if task.lacks(level):
            continue
        if task.kind == "real":
            similarity = rows["similarity"].to_numpy(np.float64)
            relative = found.relative("real", None if np.isnan(similarity).any() else similarity)
            half = task.half_widths(level, relative, len(rows))
            held, width = np.abs(label - score) <= half, 2 * half
        else:
            n_classes = int(max(label.max(), *(max(given, of) for given, of, _ in task.counts))) + 1
            sets = {given: task.set_of(int(given), level, n_classes) for given in np.unique(score)}
            held = np.array([of in sets[given] for given, of in zip(score, label, strict=True)])
            width = np.array([len(sets[given]) for given in score], np.float64)
        columns |= {
            f"held_{round(100 * level)}": held.astype(np.float64),
            f"width_{round(100 * level)}": width,
        }
    return rows.assign(**columns)


def per_task(frame: pd.DataFrame, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
    """Return what holds of each task, of predictions that `cross_fitted` says something of.

    Returns:
        task_id, n (predictions), coverage_80, width_80 and so on for each level, brier and ece, and the same
        with `_calibrated` behind; NaN where a task has no such thing.
    """
    names = [f"{what}_{round(100 * level)}" for level in levels for what in ("held", "width")]
    rows = frame.reindex(columns=[*frame.columns, *(name for name in names if name not in frame)])
    rows = rows[rows[names[0]].notna() | rows["calibrated"].notna()]
    grouped = rows.groupby("task_id", observed=True)
    found = grouped.agg(n=("label", "size"), **{name: (name, "mean") for name in names})
    found = found.rename(columns=lambda name: name.replace("held_", "coverage_"))
    labels = rows[rows["calibrated"].notna()]
    for suffix, column in (("", "score"), ("_calibrated", "calibrated")):
        for metric in ("brier", "ece"):
            found[f"{metric}{suffix}"] = _of_each(METRICS[metric], labels, column).reindex(found.index)
    return found.reset_index()


def _of_each(metric: Metric, rows: pd.DataFrame, column: str) -> pd.Series:
    """Return a metric of each task's labels and the scores in a column."""
    if not len(rows):
        return pd.Series(dtype=np.float64)
    code, tasks = pd.factorize(rows["task_id"], sort=True)
    order = np.lexsort((rows[column].to_numpy(), code))
    groups = Groups.of_sorted(code[order], rows["label"].to_numpy()[order], rows[column].to_numpy()[order])
    assert metric.compute is not None
    return pd.Series(metric.compute(groups), index=tasks)
