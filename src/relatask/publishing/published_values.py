"""Numbers that papers report (config/published.csv), matched to the names that a study gives for them."""

import csv
from dataclasses import dataclass
from pathlib import Path

from relatask.core.errors import RelataskError

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


def lookup(
    published: list[Published], paper: str | None, metric: str
) -> dict[tuple[str | None, str | None], Published]:
    """Return (row, column) -> number of `metric` in one paper; its first table wins."""
    found: dict[tuple[str | None, str | None], Published] = {}
    for number in published:
        if number.paper == paper and number.metric == metric:
            found.setdefault((number.row, number.column), number)
    return found
