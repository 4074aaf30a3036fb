"""Table `comparisons`: each method against the baseline, and further pairs, fold by fold."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from relatask.evaluation.aggregate import differences
from relatask.evaluation.fold_test import LEAST_FOLDS, Family, interval, verdict_of
from relatask.evaluation.metrics import METRICS

FAMILY = ["dataset", "split", "metric"]
COLUMNS = [
    *(*FAMILY, "method", "baseline", "n_methods", "n_folds", "n_tasks", "n_cells", "mean_difference"),
    *("ci_low", "ci_high", "margin", "verdict", "reason"),
]


def compare(
    cells: pd.DataFrame,
    baseline: str,
    contrasts: Sequence[tuple[str, str]] = (),
    *,
    test_to_train: Mapping[tuple[str, str], float],
    margins: Mapping[str, float | None],
    fold: str = "test",
) -> pd.DataFrame:
    """Return the `comparisons` table of one fold.

    Args:
        cells: as `aggregate.join_plan` returns; a seed is a fold that was tested.
        baseline: label of the method to compare with.
        contrasts: further pairs (method, other).
        test_to_train: (data set, split) -> items for test over items for training.
        margins: metric -> difference that makes none in practice.
        fold: the fold to compare on.

    A positive `mean_difference` means a higher value, which is worse for metrics where lower is better. It is
    the mean over folds of the mean over the tasks that both methods have a value of. Intervals are as wide as
    all methods of one (data set, split, metric) need.
    """
    chosen = cells[cells["fold"] == fold]
    rows = [
        row
        for names, own in chosen.groupby(FAMILY, observed=True, sort=True)
        for row in _family(
            dict(zip(FAMILY, map(str, names), strict=True)), own, baseline, contrasts, test_to_train, margins
        )
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _family(
    names: Mapping[str, str],
    cells: pd.DataFrame,
    baseline: str,
    contrasts: Sequence[tuple[str, str]],
    test_to_train: Mapping[tuple[str, str], float],
    margins: Mapping[str, float | None],
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one data set, split and metric."""
    ratio, margin = test_to_train[names["dataset"], names["split"]], margins.get(names["metric"])
    higher = METRICS[names["metric"]].higher_is_better
    labels = list(dict.fromkeys(cells["method"].astype(str)))
    family = family_of(cells)
    pairs = [(label, baseline) for label in sorted(labels) if label != baseline]
    for method, other in [*pairs, *(pair for pair in contrasts if pair[0] in labels)]:
        own = differences(cells[cells["method"].isin([method, other])], other).reset_index()
        own = own[own["method"] == method]
        folds = own.groupby("seed")["difference"].mean().to_numpy(np.float64)
        low, high = interval(folds, family, ratio)
        yield {
            **names,
            **{"method": method, "baseline": other, "n_methods": family.n_methods, "n_folds": len(folds)},
            **{"n_tasks": own["task_id"].nunique(), "n_cells": len(own)},
            "mean_difference": folds.mean() if len(folds) else None,
            **{"ci_low": low, "ci_high": high, "margin": margin},
            "verdict": verdict_of(low, high, margin, higher),
            "reason": _reason(len(folds)),
        }


def family_of(cells: pd.DataFrame) -> Family:
    """Return the family of the methods of one data set, split and metric, by the cells that all have."""
    table = cells.pivot_table(index=["seed", "task_id"], columns="method", values="value", observed=True)
    return Family.of(table.dropna().groupby("seed").mean().to_numpy(np.float64))


def _reason(n_folds: int) -> str | None:
    """Return why there is no interval."""
    if n_folds >= LEAST_FOLDS:
        return None
    return f"{n_folds} fold{'s' if n_folds != 1 else ''}, {LEAST_FOLDS} at least are needed"
