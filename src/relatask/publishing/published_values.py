"""Numbers that papers report (config/published.csv), matched to our rows and columns."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from relatask.errors import RelataskError

COLUMNS = ["paper", "table", "row", "column", "value", "spread", "metric"]


@dataclass(frozen=True)
class Published:
    """A number as printed: AUC in percent, counts as they are."""

    paper: str
    table: str
    row: str
    column: str
    value: float
    spread: float | None
    metric: str


def slug(name: str) -> str:
    """Return a name as labels and data sets are named here: `SGNN-EBM adaptive` is `sgnn_ebm_adaptive`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def read_published(path: str | Path) -> list[Published]:
    """Read the sheet of published numbers.

    Raises:
        RelataskError: the file or a column is missing, or a number is none.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            if reader.fieldnames != COLUMNS:
                raise RelataskError(f"{path}: the columns must be {', '.join(COLUMNS)}.")
            rows = list(reader)
    except FileNotFoundError:
        raise RelataskError(f"{path} does not exist; it holds the numbers that papers report.") from None
    found = []
    for line, row in enumerate(rows, start=2):
        try:
            value, spread = float(row["value"]), float(row["spread"]) if row["spread"] else None
        except (TypeError, ValueError):
            raise RelataskError(f"{path}, line {line}: value and spread must be numbers.") from None
        words = (row["paper"], row["table"], row["row"], row["column"])
        found.append(Published(*words, value, spread, row["metric"]))
    return found


def lookup(published: list[Published], metric: str) -> dict[tuple[str, str], Published]:
    """Return (slug of row, slug of column) -> number of `metric`; a paper's first table wins."""
    found: dict[tuple[str, str], Published] = {}
    for number in published:
        if number.metric == metric:
            found.setdefault((slug(number.row), slug(number.column)), number)
    return found
