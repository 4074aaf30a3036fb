"""The `metrics` table of predictions: one value per (run, task, fold, metric), or why there is none."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from relatask.core.errors import RelataskError
from relatask.core.kinds import KINDS, Kind
from relatask.data.splits import FOLDS
from relatask.evaluation.groups import Groups
from relatask.evaluation.metrics import METRICS, Metric
from relatask.evaluation.thresholds import at_thresholds, best_thresholds

NO_LABEL, NO_POSITIVE, NO_NEGATIVE = "no label", "no positive", "no negative"
NO_THRESHOLD = "validation lacks a class"
NO_SPREAD = "labels or scores all equal"
Kinds = Mapping[str, Mapping[str, Kind]]  # run_id -> task_id -> kind of its labels


def _check(frame: pd.DataFrame, of: str) -> None:
    """Refuse labels and scores that are not what the metrics are of, naming the first."""
    label, score = frame["label"].to_numpy(), frame["score"].to_numpy()
    checks = (
        (~np.isin(label, (0.0, 1.0)), "label", "0 or 1"),
        (~((score >= 0) & (score <= 1)), "score", "a probability between 0 and 1"),
    )
    if of == "real":
        checks = ((~np.isfinite(label), "label", "a number"), (~np.isfinite(score), "score", "a number"))
    if of == "class":
        is_class = [(column >= 0) & (column == np.floor(column)) for column in (label, score)]
        checks = ((~is_class[0], "label", "a class"), (~is_class[1], "score", "a class"))
    for wrong, column, expected in (
        *checks,
        (~frame["fold"].isin(FOLDS).to_numpy(), "fold", " or ".join(FOLDS)),
    ):
        if wrong.any():
            row = frame.iloc[int(np.flatnonzero(wrong)[0])]
            raise RelataskError(
                f"predictions of run {row['run_id']}, task {row['task_id']!r}, fold {row['fold']}: {column} "
                f"{row[column]} where {expected} was expected; train the run again."
            )


def _codes(column: pd.Series, categories: Sequence[str] | None = None) -> tuple[np.ndarray, pd.Index]:
    """Codes of a column and the sorted values (or `categories`) they stand for."""
    values = column.astype("category").cat.remove_unused_categories()
    chosen = sorted(values.cat.categories) if categories is None else list(categories)
    coded = values.cat.set_categories(chosen).cat
    return coded.codes.to_numpy().astype(np.int64), pd.Index(chosen)


def _cells(frame: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Metrics of the (run, task, fold) cells that have labels, one column per metric."""
    run, runs = _codes(frame["run_id"])
    task, tasks = _codes(frame["task_id"])
    fold, _ = _codes(frame["fold"], FOLDS)
    key = (run * len(tasks) + task) * len(FOLDS) + fold
    score = frame["score"].to_numpy()
    order = np.lexsort((score, key))
    groups = Groups.of_sorted(key[order], frame["label"].to_numpy()[order], score[order])
    found = key[order][groups.starts]
    one_class = (groups.n_pos == 0) | (groups.n_pos == groups.n)
    valid = found // len(FOLDS) * len(FOLDS) + FOLDS.index("valid")
    values = {}
    for name in metrics:
        value = _value(METRICS[name], groups, found, valid)
        values[name] = np.where(one_class, np.nan, value) if METRICS[name].needs_both_classes else value

    present = np.zeros((len(runs), len(tasks), len(FOLDS)), bool)
    present.flat[found] = True
    planned = present.any(axis=2, keepdims=True) & present.any(axis=1, keepdims=True)
    every = np.flatnonzero(planned)  # a task without labels in one fold of a run keeps its cell
    place = np.searchsorted(every, found)
    table: dict[str, Any] = {"run_id": pd.Categorical.from_codes(every // (len(FOLDS) * len(tasks)), runs)}
    table["task_id"] = pd.Categorical.from_codes(every // len(FOLDS) % len(tasks), tasks)
    table["fold"] = pd.Categorical.from_codes(every % len(FOLDS), pd.Index(FOLDS))
    for name, value in {"n": groups.n, "n_pos": groups.n_pos, **values}.items():
        column = np.full(len(every), 0.0 if name in ("n", "n_pos") else np.nan)
        column[place] = value
        table[name] = column
    return pd.DataFrame(table)


def _value(metric: Metric, groups: Groups, cells: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Return a metric of groups, float64 [G].

    Args:
        metric: which.
        groups: one for each cell.
        cells: int64 [G], their numbers, ascending.
        valid: int64 [G], the number of the cell of the same run and task on the validation fold.
    """
    if metric.of_counts is None:
        assert metric.compute is not None
        return metric.compute(groups)
    place = np.minimum(np.searchsorted(cells, valid), len(cells) - 1)
    own = best_thresholds(groups, metric.of_counts)
    return at_thresholds(groups, np.where(cells[place] == valid, own[place], np.nan), metric.of_counts)


def _reasons(cells: pd.DataFrame, name: str) -> np.ndarray:
    """Why a cell has no value of a metric, or None."""
    metric = METRICS[name]
    n, n_pos = cells["n"].to_numpy(), cells["n_pos"].to_numpy()
    reason = np.full(len(cells), None, dtype=object)
    if metric.needs_both_classes:
        reason[n_pos == n] = NO_NEGATIVE
        reason[n_pos == 0] = NO_POSITIVE
    if metric.of_counts is not None:
        reason[np.isnan(cells[name].to_numpy()) & pd.isna(reason)] = NO_THRESHOLD
    if metric.of == "real":
        reason[np.isnan(cells[name].to_numpy())] = NO_SPREAD
    reason[n == 0] = NO_LABEL
    return reason


def evaluate(predictions: pd.DataFrame, metrics: Sequence[str], kinds: Kinds | None = None) -> pd.DataFrame:
    """Return the `metrics` table of whole runs' predictions; a task has the metrics of its kind.

    Sorted by run, task, fold (train, valid, test) and metric in the order given. A value that is not
    defined is NaN and `reason` says why: "no label", "no positive" or "no negative". ROC-AUC and average
    precision need both classes; Brier score and ECE need a label. A task that has labels in one
    fold of a run has a cell in each fold of that run.

    Args:
        predictions: a `predictions` table; all rows of a run must be in it.
        metrics: keys of `METRICS`.
        kinds: of the tasks of each run; None: all tasks are of the kind of the first metric.

    Raises:
        RelataskError: a label or a score is not what the task's kind says, or a fold is unknown.
    """
    if kinds is None:
        return _of_one_kind(predictions, metrics)
    kind = _kind_of_rows(predictions, kinds)
    parts = []
    for own in KINDS:
        chosen = [name for name in metrics if METRICS[name].of == own]
        rows = kind == own
        if chosen and rows.any():
            parts.append(_of_one_kind(predictions[rows] if not rows.all() else predictions, chosen))
    if len(parts) == 1:
        return parts[0]
    if not parts:
        raise RelataskError(
            "no metric of the study is of the kind of its tasks' labels; name others in `metrics`."
        )
    return _joined(parts).sort_values(["run_id", "task_id", "fold"], kind="stable", ignore_index=True)


def _kind_of_rows(predictions: pd.DataFrame, kinds: Kinds) -> np.ndarray:
    """The kind of the task of each row."""
    run, runs = _codes(predictions["run_id"])
    task, tasks = _codes(predictions["task_id"])
    table = np.full((len(runs), len(tasks)), None, dtype=object)
    for row, run_id in enumerate(runs):
        of_run = kinds[run_id]
        only = next(iter(of_run.values())) if len({*of_run.values()}) == 1 else None  # episodes are no tasks
        table[row] = [of_run.get(name, only) for name in tasks]
    return table[run, task]


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table of several, whose categories are all that any has."""
    columns = {
        name: union_categoricals(
            [part[name] for part in parts], sort_categories=name in ("run_id", "task_id")
        )
        for name in ("run_id", "task_id", "fold", "metric")
    }
    return pd.concat(parts, ignore_index=True).assign(**columns)


def _of_one_kind(predictions: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """`evaluate` for tasks of the kind that `metrics` are of."""
    _check(predictions, METRICS[metrics[0]].of)
    cells = _cells(predictions, metrics)
    repeated = np.repeat(np.arange(len(cells)), len(metrics))
    table = cells[["run_id", "task_id", "fold", "n", "n_pos"]].iloc[repeated].reset_index(drop=True)
    table = table.astype({"n": np.int32, "n_pos": np.int32})
    table["metric"] = pd.Categorical.from_codes(
        np.tile(np.arange(len(metrics)), len(cells)), pd.Index(metrics)
    )
    table["value"] = cells[list(metrics)].to_numpy().ravel()
    reasons = np.stack([_reasons(cells, name) for name in metrics], axis=1).ravel()
    table["reason"] = pd.Series(reasons, dtype=object)  # and not of texts where a batch has one
    return table


def evaluate_batches(
    batches: Iterator[pd.DataFrame],
    metrics: Sequence[str],
    planned: Sequence[str],
    kinds: Kinds | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Evaluate predictions that come in batches of whole runs.

    Returns:
        The `metrics` table sorted by run, and the planned runs that have no predictions at all.

    Raises:
        RelataskError: a run is not in the plan, or as `evaluate` raises.
    """
    parts, known, seen = [], set(planned), set()
    for batch in batches:
        runs = set(batch["run_id"].unique())
        if strange := sorted(runs - known):
            raise RelataskError(
                f"the predictions hold run {strange[0]!r}, which the plan does not know; "
                "merge the runs of this plan again."
            )
        seen |= runs
        parts.append(evaluate(batch, metrics, kinds))
    if not parts:
        raise RelataskError("there are no predictions to evaluate; train the study first.")
    table = _joined(parts)
    return table.sort_values("run_id", kind="stable", ignore_index=True), sorted(known - seen)
