"""The spread over seeds that tables report: the sample standard deviation, with n - 1.

It is undefined for one value: one seed says nothing about a spread.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def deviation(values: Sequence[float] | pd.Series) -> float | None:
    """Return the sample standard deviation of `values`; None for fewer than two."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def over_seeds(values: Sequence[float] | pd.Series) -> tuple[float, float | None]:
    """Return mean and sample standard deviation of `values`, the latter None for one value."""
    return float(np.mean(values)), deviation(values)


def column_deviations(values: pd.DataFrame) -> np.ndarray:
    """Return the sample standard deviation of each column, float64 [n]; NaN where there is one row."""
    if len(values) < 2:
        return np.full(values.shape[1], np.nan)
    return values.std(ddof=1).to_numpy()


def spread_by(values: pd.Series, by: Sequence[str]) -> pd.DataFrame:
    """Return mean, sample standard deviation and number of the defined values, by levels of the index.

    Returns:
        Columns mean, std (NaN for one value) and count; a row for each combination of the levels.
    """
    grouped = values.groupby(list(by), observed=True)
    table = grouped.agg(["mean", "count"])
    table["std"] = grouped.std(ddof=1)
    return table
