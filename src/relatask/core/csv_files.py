"""Tables as CSV that people open in spreadsheets: the only function of the workflow that writes any."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from relatask.core.atomic import atomic_path

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\n")  # what spreadsheets take for the beginning of one


def write_csv(table: "pd.DataFrame | Iterable[pd.DataFrame]", path: Path) -> None:
    """Write a table, or the parts that it comes in, whole or not at all.

    A spreadsheet runs a cell that begins as a formula. Such a text gets an apostrophe in front, as OWASP
    advises (CSV injection); numbers stay as they are, also where they are texts.
    """
    import pandas as pd

    parts = [table] if isinstance(table, pd.DataFrame) else table
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for number, part in enumerate(parts):
            _without_formulas(part).to_csv(file, index=False, header=number == 0, lineterminator="\n")


def _without_formulas(table: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    shown = table.rename(columns=_as_text)
    for place, kind in enumerate(shown.dtypes):
        if isinstance(kind, pd.CategoricalDtype):  # each different text once
            column = shown.iloc[:, place].array
            texts = pd.Series([*map(_as_text, column.categories), None], dtype=object)
            shown.isetitem(place, texts.take(column.codes).array)  # a missing cell has code -1
        elif kind.kind == "O":
            cells = [_as_text(cell) for cell in shown.iloc[:, place]]  # which may be lists of one length
            shown.isetitem(place, pd.Series(cells, dtype=object).array)
    return shown


def _as_text(value: object) -> object:
    """Return a value of a cell; a text that a spreadsheet would take for a formula gets an apostrophe."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")  # a lone \r is not quoted, and would begin a row
    if not text.startswith(FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
