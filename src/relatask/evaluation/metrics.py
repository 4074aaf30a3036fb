"""ROC-AUC, average precision, Brier score, calibration error, absolute error and accuracy of predictions.

One value per (run, task, fold, metric). A study of 10,000 runs has millions of such cells, so all
groups of a batch are computed at once from arrays sorted by group and score; the tests hold every
value against scikit-learn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from relatask.errors import RelataskError

FOLDS = ("train", "valid", "test")
ECE_BINS = 10
NO_LABEL, NO_POSITIVE, NO_NEGATIVE = "no label", "no positive", "no negative"


@dataclass(frozen=True)
class Groups:
    """Labels and scores of many groups, sorted by group and, within one, by ascending score.

    Attributes:
        starts: int64 [G], position of each group's first row.
        group: int64 [N], group of each row, 0 to G - 1.
        label: float64 [N], 0 or 1.
        score: float64 [N], probability of label 1.
        n: float64 [G], rows of each group.
        n_pos: float64 [G], rows with label 1.
    """

    starts: np.ndarray
    group: np.ndarray
    label: np.ndarray
    score: np.ndarray
    n: np.ndarray
    n_pos: np.ndarray

    @classmethod
    def of_sorted(cls, key: np.ndarray, label: np.ndarray, score: np.ndarray) -> "Groups":
        """Group rows sorted by (key, score); rows with one key form a group."""
        first = np.ones(len(key), bool)
        first[1:] = key[1:] != key[:-1]
        starts = np.flatnonzero(first)
        label = label.astype(np.float64)
        n = np.diff(np.append(starts, len(key))).astype(np.float64)
        n_pos = np.add.reduceat((label == 1).astype(np.float64), starts)
        return cls(starts, np.cumsum(first) - 1, label, score.astype(np.float64), n, n_pos)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values` [N] over each group, [G]."""
        return np.add.reduceat(values, self.starts)

    def ties(self) -> tuple[np.ndarray, np.ndarray]:
        """First row of each run of equal scores within a group, and the group of each such run."""
        first = np.ones(len(self.score), bool)
        first[1:] = (self.score[1:] != self.score[:-1]) | (self.group[1:] != self.group[:-1])
        begins = np.flatnonzero(first)
        return begins, self.group[begins]


def roc_auc(groups: Groups) -> np.ndarray:
    """Area under the ROC curve of each group: the chance that a positive outscores a negative.

    AUC = (R - P (P + 1) / 2) / (P N) with R the sum of the positives' ranks (ties share their mean
    rank), P positives and N negatives (Hanley and McNeil 1982). NaN where a class is absent.
    """
    begins, of_group = groups.ties()
    ends = np.append(begins[1:], len(groups.score))
    rank = (begins + ends + 1) / 2 - groups.starts[of_group]
    positives = np.add.reduceat(groups.label, begins)
    rank_sum = np.bincount(of_group, rank * positives, len(groups.n))
    n_pos, n_neg = groups.n_pos, groups.n - groups.n_pos
    with np.errstate(invalid="ignore", divide="ignore"):
        return (rank_sum - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)


def average_precision(groups: Groups) -> np.ndarray:
    """Average precision of each group: sum over thresholds of (R_k - R_(k-1)) P_k.

    A threshold lies below each distinct score; R is recall and P precision, without interpolation.
    """
    begins, of_group = groups.ties()
    start = groups.starts[of_group]
    before = np.append(0.0, np.cumsum(groups.label))
    above = groups.n_pos[of_group] - (before[begins] - before[start])
    predicted = groups.n[of_group] - (begins - start)
    positives = np.add.reduceat(groups.label, begins)
    area = np.bincount(of_group, positives * above / predicted, len(groups.n))
    with np.errstate(invalid="ignore", divide="ignore"):
        return area / groups.n_pos


def brier(groups: Groups) -> np.ndarray:
    """Mean squared difference between score and label of each group (Brier 1950)."""
    return groups.sum((groups.score - groups.label) ** 2) / groups.n


def ece(groups: Groups) -> np.ndarray:
    """Expected calibration error of each group with 10 bins of equal width.

    ECE = sum_b (n_b / n) |mean label in b - mean score in b|, where bin b of 0..9 holds the scores in
    [b / 10, (b + 1) / 10) and the last bin also holds 1 (Naeini et al. 2015; Guo et al. 2017).
    """
    cell = groups.group * ECE_BINS + np.minimum((groups.score * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gap = np.bincount(cell, groups.label - groups.score, len(groups.n) * ECE_BINS)
    return np.abs(gap).reshape(-1, ECE_BINS).sum(axis=1) / groups.n


def mae(groups: Groups) -> np.ndarray:
    """Mean absolute difference of score and label, measured values both, of each group."""
    return groups.sum(np.abs(groups.score - groups.label)) / groups.n


def accuracy(groups: Groups) -> np.ndarray:
    """Share of the rows of each group whose score, the class that is predicted, is their label."""
    return groups.sum((groups.score == groups.label).astype(np.float64)) / groups.n


@dataclass(frozen=True)
class Metric:
    """A metric and what its readers must know about it."""

    compute: Callable[[Groups], np.ndarray]  # groups -> float64 [G]
    label: str  # name in tables and figures
    higher_is_better: bool
    needs_both_classes: bool  # undefined, or the same for all scores, where one class is absent
    percent: bool  # tables print it times 100
    # what labels and scores are: 0 or 1 and probabilities of 1, measured values, or classes of an episode
    of: Literal["binary", "values", "classes"] = "binary"

    @property
    def each(self) -> str:
        """What has a value of its own, over which means are taken."""
        return "episode" if self.of == "classes" else "task"


METRICS: dict[str, Metric] = {
    "roc_auc": Metric(roc_auc, "ROC-AUC", True, True, True),
    "average_precision": Metric(average_precision, "average precision", True, True, True),
    "brier": Metric(brier, "Brier score", False, False, False),
    "ece": Metric(ece, "calibration error (ECE)", False, False, False),
    "mae": Metric(mae, "mean absolute error", False, False, False, of="values"),
    "accuracy": Metric(accuracy, "accuracy", True, False, True, of="classes"),
}


def _check(frame: pd.DataFrame, of: str) -> None:
    """Refuse labels and scores that are not what the metrics are of, naming the first."""
    label, score = frame["label"].to_numpy(), frame["score"].to_numpy()
    checks = (
        (~np.isin(label, (0.0, 1.0)), "label", "0 or 1"),
        (~((score >= 0) & (score <= 1)), "score", "a probability between 0 and 1"),
    )
    if of == "values":
        checks = ((~np.isfinite(label), "label", "a number"), (~np.isfinite(score), "score", "a number"))
    if of == "classes":
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
    values = {}
    for name in metrics:
        value = METRICS[name].compute(groups)
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


def _reasons(cells: pd.DataFrame, metric: Metric) -> np.ndarray:
    """Why a cell has no value, or None."""
    n, n_pos = cells["n"].to_numpy(), cells["n_pos"].to_numpy()
    reason = np.full(len(cells), None, dtype=object)
    if metric.needs_both_classes:
        reason[n_pos == n] = NO_NEGATIVE
        reason[n_pos == 0] = NO_POSITIVE
    reason[n == 0] = NO_LABEL
    return reason


def evaluate(predictions: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return the `metrics` table of whole runs' predictions.

    Sorted by run, task, fold (train, valid, test) and metric in the order given. A value that is not
    defined is NaN and `reason` says why: "no label", "no positive" or "no negative". ROC-AUC and average
    precision need both classes; Brier score and ECE need a label. A task that has labels in one
    fold of a run has a cell in each fold of that run.

    Args:
        predictions: a `predictions` table; all rows of a run must be in it.
        metrics: keys of `METRICS`.

    Raises:
        RelataskError: a label is not 0 or 1, a score is not a probability, or a fold is unknown.
    """
    _check(predictions, METRICS[metrics[0]].of)
    cells = _cells(predictions, metrics)
    repeated = np.repeat(np.arange(len(cells)), len(metrics))
    table = cells[["run_id", "task_id", "fold", "n", "n_pos"]].iloc[repeated].reset_index(drop=True)
    table = table.astype({"n": np.int32, "n_pos": np.int32})
    table["metric"] = pd.Categorical.from_codes(
        np.tile(np.arange(len(metrics)), len(cells)), pd.Index(metrics)
    )
    table["value"] = cells[list(metrics)].to_numpy().ravel()
    table["reason"] = np.stack([_reasons(cells, METRICS[name]) for name in metrics], axis=1).ravel()
    return table


def evaluate_batches(
    batches: Iterator[pd.DataFrame], metrics: Sequence[str], planned: Sequence[str]
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
        parts.append(evaluate(batch, metrics))
    if not parts:
        raise RelataskError("there are no predictions to evaluate; train the study first.")
    columns = {
        name: union_categoricals(
            [part[name] for part in parts], sort_categories=name in ("run_id", "task_id")
        )
        for name in ("run_id", "task_id", "fold", "metric")
    }
    table = pd.concat(parts, ignore_index=True).assign(**columns)
    return table.sort_values("run_id", kind="stable", ignore_index=True), sorted(known - seen)
