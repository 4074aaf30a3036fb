"""Adaptive checkpointing with specialization of the paper: all epochs are kept, then each task chooses."""

import math
from collections.abc import Sequence


def area_under_curve(labels: Sequence[float], scores: Sequence[float]) -> float:
    """Share of the pairs of a positive and a negative whose scores are in order; NaN without such a pair."""
    won, pairs = 0.0, 0
    for label, score in zip(labels, scores, strict=True):
        for other_label, other in zip(labels, scores, strict=True):
            if label == 1 and other_label == 0:
                pairs += 1
                won += 1.0 if score > other else 0.5 if score == other else 0.0
    return won / pairs if pairs else math.nan


def best_epochs(values: Sequence[Sequence[float]]) -> list[int]:
    """Return the epoch, from 0, that each task keeps, given each epoch's validation values by task.

    A task without a value keeps the epoch that is best in the mean over the tasks that have one, and without
    any value the last.
    """
    chosen = []
    for task in range(len(values[0])):
        best, where = -math.inf, None
        for epoch, row in enumerate(values):
            if not math.isnan(row[task]) and row[task] > best:
                best, where = row[task], epoch
        chosen.append(where)
    mean_best, mean_where = -math.inf, len(values) - 1
    for epoch, row in enumerate(values):
        known = [value for value in row if not math.isnan(value)]
        if known and sum(known) / len(known) > mean_best:
            mean_best, mean_where = sum(known) / len(known), epoch
    return [mean_where if where is None else where for where in chosen]
