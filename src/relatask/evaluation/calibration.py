"""What predictions out of fold teach about a model's next ones: probabilities, intervals, sets, errors.

A prediction is out of fold where its model did not train on the item. Bounds such as `>10` do not count: no
prediction is saved of them, so that what is said holds for values that were measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from relatask.core.kinds import Kind
from relatask.evaluation.conformal import class_set, kept_scores, least_labels, quantile
from relatask.evaluation.error_curve import AgainstMean, ErrorCurve, against_mean, domain_limit, fit_curve
from relatask.evaluation.probabilities import LEAST, calibrated, fit_map

MOST_ERROR = 25.0  # times the mean that the error of one label counts, so that none decides for all tasks
MOST_PAIRS = 333  # of a predicted class and a label, that are kept of one task


@dataclass(frozen=True)
class TaskCalibration:
    """What is known of one task.

    Attributes:
        kind: of its labels.
        n: labels that were predicted out of fold.
        why_not: why there is no calibrated probability or set, e.g. "too few labels to calibrate: 3 of label
            1, 10 are needed"; empty where there is one.
        coefficients: a, b and c of `probabilities.calibrated`, of a binary task.
        scores: distances of value and prediction, of a real task, as `conformal.kept_scores` keeps them.
        scaled: the same over the root of the curve at their similarity; empty without similarities.
        counts: predicted class, class, and how many labels, of a class task.
        error: mean squared error, Brier score, or share of wrong classes where the curve is 1.
    """

    kind: Kind
    n: int
    why_not: str = ""
    coefficients: tuple[float, float, float] | None = None
    scores: np.ndarray = field(default_factory=lambda: np.empty(0))
    scaled: np.ndarray = field(default_factory=lambda: np.empty(0))
    counts: tuple[tuple[int, int, int], ...] = ()
    error: float = float("nan")

    @property
    def is_telling(self) -> bool:
        """Whether its errors count in what is learned of all tasks: those of few labels are too wild."""
        return not self.why_not and self.n >= LEAST

    def lacks(self, level: float) -> str:
        """Return why there is nothing of this level, or ""."""
        if self.kind == "real" and not self.why_not and self.n < least_labels(level):
            needed = f"{least_labels(level)} are needed for {100 * level:g} %"
            return f"too few labels to calibrate: {self.n}, {needed}"
        return self.why_not

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities of scores [m], NaN where there are none."""
        if self.coefficients is None:
            return np.full(len(scores), np.nan)
        return calibrated(scores, self.coefficients, self.n)

    def half_widths(self, level: float, relative: np.ndarray | None, size: int) -> np.ndarray:
        """Return half of the width of `size` intervals, float64; infinite where labels are too few.

        Args:
            level: share of values that intervals shall hold.
            relative: the curve at the similarity of each item; None: without similarities.
            size: how many.
        """
        if relative is None:
            return np.full(size, quantile(self.scores, self.n, level))
        return quantile(self.scaled, self.n, level) * np.sqrt(relative)

    def set_of(self, predicted: int, level: float, n_classes: int) -> list[int]:
        """Return the classes that hold the truth where this one is predicted, the likeliest first."""
        counts = [(label, n) for given, label, n in self.counts if given == predicted]
        inside, unseen = class_set(counts, level)
        known = {label for label, _ in counts}
        return [*inside, *(one for one in range(n_classes) if unseen and one not in known)]


@dataclass(frozen=True)
class Calibration:
    """What is known of all tasks of a model.

    Attributes:
        tasks: task id -> what is known of it.
        curves: kind of task -> how its errors grow with distance from training; empty without similarities.
        against_mean: errors of all kinds by similarity; None without similarities.
        limit: similarity from which on a molecule is in the domain; None likewise.
    """

    tasks: Mapping[str, TaskCalibration]
    curves: Mapping[str, ErrorCurve] = field(default_factory=dict)
    against_mean: AgainstMean | None = None
    limit: float | None = None

    def relative(self, kind: str, similarity: np.ndarray | None) -> np.ndarray | None:
        """Return the curve of a kind at similarities [m]; None where there is no curve, or no similarity."""
        return None if similarity is None or kind not in self.curves else self.curves[kind].at(similarity)

    def errors(self, task: TaskCalibration, similarity: np.ndarray) -> np.ndarray:
        """Return the error that is expected of predictions at similarities [m].

        Of values the root mean squared error, of labels the Brier score, of classes the share of wrong ones.
        """
        relative = self.relative(task.kind, similarity)
        mean = task.error * (np.ones(len(similarity)) if relative is None else relative)
        return np.sqrt(mean) if task.kind == "real" else np.minimum(mean, 1.0)


def calibration_of(frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> Calibration:
    """Return what predictions out of fold teach.

    Args:
        frame: item_id, task_id, label, score and similarity to the items that the model was trained on, NaN
            in all rows where there is none.
        kinds: task id -> kind, of all tasks of the model.
    """
    groups = {str(task): own for task, own in frame.groupby("task_id", observed=True)}
    fitted = {task: _fitted(kind, groups[task]) for task, kind in kinds.items() if task in groups}
    missing = {
        task: TaskCalibration(kind, 0, "no label was predicted out of fold") for task, kind in kinds.items()
    }
    if frame["similarity"].isna().any() or not len(frame):
        whole = {task: _with_error(one, groups[task], None) for task, one in fitted.items()}
        return Calibration({**missing, **whole})
    curves: dict[str, ErrorCurve] = {}
    parts = []
    for kind in dict.fromkeys(kinds.values()):
        telling = (task for task, one in fitted.items() if one.kind == kind and one.is_telling)
        own = [_relative(groups[task], fitted[task]) for task in telling]
        if own and len(rows := pd.concat(own)):
            curves[kind] = fit_curve(rows["similarity"].to_numpy(), rows["relative"].to_numpy())
            parts.append(rows)
    whole = {task: _with_error(one, groups[task], curves.get(one.kind)) for task, one in fitted.items()}
    if not parts:
        return Calibration({**missing, **whole}, curves)
    rows = pd.concat(parts)
    found = against_mean(*(rows[name].to_numpy() for name in ("similarity", "error", "of_mean")))
    of_items = frame.drop_duplicates("item_id")["similarity"].to_numpy()
    return Calibration({**missing, **whole}, curves, found, domain_limit(found, of_items))


def squared_errors(task: TaskCalibration, label: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return squared errors [n], of labels those of calibrated probabilities; of classes 1 where wrong."""
    if task.kind == "class":
        return (label != score).astype(np.float64)
    said = task.probabilities(score) if task.coefficients is not None else score
    return np.asarray((label - said) ** 2, np.float64)


def _arrays(own: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return own["label"].to_numpy(np.float64), own["score"].to_numpy(np.float64)


def _fitted(kind: Kind, own: pd.DataFrame) -> TaskCalibration:
    """Return what the labels and scores of a task teach, without similarities."""
    label, score = _arrays(own)
    if kind == "real":
        return TaskCalibration(kind, len(own), scores=kept_scores(np.abs(label - score)))
    if kind == "binary":
        counts = {1: int((label == 1).sum()), 0: int((label == 0).sum())}
        rarer = min(counts, key=lambda value: counts[value])
        if counts[rarer] < LEAST:
            why = f"too few labels to calibrate: {counts[rarer]} of label {rarer}, {LEAST} are needed"
            return TaskCalibration(kind, len(own), why)
        return TaskCalibration(kind, len(own), coefficients=fit_map(score, label))
    pairs, times = np.unique(np.stack([score, label], axis=1).astype(np.int64), axis=0, return_counts=True)
    if len(pairs) > MOST_PAIRS:
        return TaskCalibration(kind, len(own), f"too many pairs of classes to calibrate: {len(pairs)}")
    rows = ((int(given), int(of), int(n)) for (given, of), n in zip(pairs, times, strict=True))
    return TaskCalibration(kind, len(own), counts=tuple(rows))


def _relative(own: pd.DataFrame, task: TaskCalibration) -> pd.DataFrame:
    """Return errors of a task over their mean, and beside that of a constant over the mean of the latter."""
    label, score = _arrays(own)
    errors = squared_errors(task, label, score)
    constant = _errors_of_mean(task.kind, label)
    mean, of_mean = errors.mean(), constant.mean()
    if mean <= 0 or of_mean <= 0:  # nothing to compare, as all labels are equal
        return pd.DataFrame(columns=["similarity", "relative", "error", "of_mean"], dtype=np.float64)
    return pd.DataFrame(
        {
            "similarity": own["similarity"].to_numpy(np.float64),
            "relative": np.minimum(errors / mean, MOST_ERROR),
            "error": np.minimum(errors / of_mean, MOST_ERROR),
            "of_mean": np.minimum(constant / of_mean, MOST_ERROR),
        }
    )


def _errors_of_mean(kind: Kind, label: np.ndarray) -> np.ndarray:
    """Return the errors of what says the same of all items: the mean, or the most frequent class."""
    if kind == "class":
        values, n = np.unique(label, return_counts=True)
        return (label != values[n.argmax()]).astype(np.float64)
    return np.asarray((label - label.mean()) ** 2, np.float64)


def _with_error(task: TaskCalibration, own: pd.DataFrame, curve: ErrorCurve | None) -> TaskCalibration:
    """Return a task with its error and, of measured values, scores relative to the curve."""
    label, score = _arrays(own)
    errors = squared_errors(task, label, score)
    if curve is None:
        return replace(task, error=float(errors.mean()))
    relative = curve.at(own["similarity"].to_numpy(np.float64))
    scaled = kept_scores(np.abs(label - score) / np.sqrt(relative)) if task.kind == "real" else task.scaled
    return replace(task, error=float((errors / relative).mean()), scaled=scaled)
