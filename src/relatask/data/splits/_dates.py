"""Dates as people write them, in one column: ISO, 31.12.2024, 12/31/2024, years, or any numbers."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError

# Separator of day, month and year -> how they are written; a slash says neither which comes first.
_DOTTED = re.compile(r"\s*([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})\s*")
_SLASHED = re.compile(r"\s*([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})\s*")


def times_of(cells: Sequence[Any], what: str) -> tuple[np.ndarray, bool]:
    """Return the times of cells, float64 [n], NaN where one is empty, and whether they are dates.

    Numbers and years are themselves, dates count seconds since 1970.

    Args:
        cells: n texts, numbers or dates.
        what: what messages call them, e.g. "the column 'when'".

    Raises:
        RelataskError: a cell is neither, or 05/06/2024 could be of May or of June.
    """
    texts: pd.Series = pd.Series(list(cells), dtype=object)
    texts = texts.where(texts.notna(), "").astype(str).str.strip()
    there = texts != ""
    numbers = pd.to_numeric(texts.where(there), errors="coerce").to_numpy(np.float64)
    if np.isfinite(numbers[there]).all():
        return numbers, False
    iso = _as_iso(texts[there], what)
    dates = pd.to_datetime(iso, errors="coerce", format="ISO8601", utc=True)
    if dates.isna().any():
        neither = texts[there][dates.isna()]
        worst = neither[~np.isfinite(numbers[there][dates.isna()])]
        shown = (worst if len(worst) else neither).iloc[0]
        raise RelataskError(
            f"{what} says {shown!r}, which is neither a number nor a date such as 2024-05-31 or 31.05.2024; "
            f"correct it, or leave it empty ({len(neither)} cells in all)."
        )
    found = np.full(len(texts), np.nan)
    found[there.to_numpy()] = dates.dt.as_unit("us").astype("int64").to_numpy() / 1e6
    return found, True


def said(time: float, is_date: bool) -> str | float:
    """Return a time as a record says it: a date as ISO, a number as it is."""
    if not is_date:
        return int(time) if float(time).is_integer() else float(time)
    stamp = pd.Timestamp(time, unit="s")
    return stamp.date().isoformat() if stamp == stamp.normalize() else stamp.isoformat()


def _as_iso(texts: pd.Series, what: str) -> pd.Series:
    """Return texts with dates of other forms as ISO ones.

    Raises:
        RelataskError: nothing tells whether the month or the day comes first.
    """
    dotted, slashed = texts.str.extract(_DOTTED), texts.str.extract(_SLASHED)
    slashes = slashed[0].notna()
    month_first = False
    if slashes.any():
        first, second = (slashed.loc[slashes, column].astype(int) for column in (0, 1))
        day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
        if day_first == month_first:
            example = texts[slashes].iloc[0]
            reason = "both are days somewhere" if day_first else "no date of the column tells"
            raise RelataskError(
                f"{what} says {example!r}, of which the month could be the first number or the second "
                f"({reason}); write dates as 2024-05-31."
            )
    parts = dotted.where(~slashes, slashed)
    swapped = parts.rename(columns={0: 1, 1: 0}) if month_first else parts
    parts = swapped.where(slashes, dotted)
    found = parts[2] + "-" + parts[1].str.zfill(2) + "-" + parts[0].str.zfill(2)
    return texts.where(found.isna(), found)
