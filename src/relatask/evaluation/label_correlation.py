"""How far tasks agree about the molecules that both have measured."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from relatask.data.tasks import task_positions


def label_correlation(labels: pd.DataFrame, task_ids: Sequence[str]) -> np.ndarray:
    """Return Pearson's correlation of the labels of each two tasks, over the molecules that have both.

    Args:
        labels: table "labels".
        task_ids: T tasks, in their order.

    Returns:
        float64 [T, T]; NaN where fewer than three molecules have both, or one of the two does not vary.
    """
    rows, _ = pd.factorize(labels["item_id"])
    columns = task_positions(labels["task_id"], task_ids)
    inside = columns >= 0
    place = (rows[inside], columns[inside])
    shape = (int(rows.max(initial=-1)) + 1, len(task_ids))
    values = labels["value"].to_numpy(np.float64)[inside]
    y, there = csr_array((values, place), shape=shape), csr_array((np.ones_like(values), place), shape=shape)
    return pairwise_correlation(y, there)


def pairwise_correlation(values: csr_array, there: csr_array) -> np.ndarray:
    """Return Pearson's correlation of each two columns over the rows that have both, float64 [T, T].

    NaN where fewer than three rows have both, or one of the two does not vary among them.

    Args:
        values: float64 [n, T], 0 where there is none.
        there: float64 [n, T], 1 where there is a value, else 0.
    """
    n = (there.T @ there).toarray()
    sums, squares = (values.T @ there).toarray(), ((values * values).T @ there).toarray()  # of the row's task
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = (values.T @ values).toarray() / n - sums * sums.T / n**2
        variance = squares / n - (sums / n) ** 2
        found = covariance / np.sqrt(variance * variance.T)
    undefined = (n < 3) | (variance < 1e-12) | (variance.T < 1e-12)
    return np.where(undefined, np.nan, found.clip(-1, 1))


def correlated_labels(labels: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return the labels that can be correlated: no bounds of a value, and no codes of classes.

    Args:
        labels: table "labels".
        tasks: table "tasks".
    """
    codes = set(tasks.loc[tasks["kind"] == "class", "task_id"])
    return labels[(labels["bound"] == "=") & ~labels["task_id"].isin(codes)]


def mean_correlation(correlation: np.ndarray) -> np.ndarray:
    """Return each task's mean correlation with the others, [T]; NaN where none is defined."""
    others = np.where(np.eye(len(correlation), dtype=bool), np.nan, correlation)
    counts = (~np.isnan(others)).sum(1)
    return np.where(counts > 0, np.nansum(others, 1) / np.maximum(counts, 1), np.nan)
