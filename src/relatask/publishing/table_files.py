"""The files that a table becomes."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from relatask.core.atomic import atomic_path
from relatask.core.files import write_text
from relatask.core.tables import columns_of, write_table
from relatask.publishing.formatting import Table, one_line, to_latex, to_markdown
from relatask.publishing.page import table_page

FORMULA = ("=", "+", "-", "@", "\t", "\n")  # what spreadsheets take for the beginning of one


def save(table: Table, out_dir: Path) -> None:
    """Write a table as parquet and csv (unrounded), md, tex and html (as read)."""
    name = f"table_{table.kind or table.name}"
    write_table(name, table.data, out_dir / f"{table.name}.parquet")
    write_csv(table.data[list(columns_of(name))], out_dir / f"{table.name}.csv")
    write_text(out_dir / f"{table.name}.md", to_markdown(table))
    write_text(out_dir / f"{table.name}.tex", to_latex(table))
    shown = pd.DataFrame([[one_line(cell) for cell in row] for row in table.rows], columns=list(table.header))
    write_text(out_dir / f"{table.name}.html", table_page(table.title, shown, table.notes))


def write_csv(table: pd.DataFrame | Iterable[pd.DataFrame], path: Path) -> None:
    """Write a table, or the parts that it comes in, as CSV that people open in spreadsheets.

    A spreadsheet runs a cell that begins as a formula. Such a text gets an apostrophe in front, as OWASP
    advises (CSV injection); numbers stay as they are, also where they are texts.
    """
    parts = [table] if isinstance(table, pd.DataFrame) else table
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for number, part in enumerate(parts):
            _without_formulas(part).to_csv(file, index=False, header=number == 0, lineterminator="\n")


def _without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    shown = table.rename(columns=_as_text)
    for place, kind in enumerate(shown.dtypes):
        if kind.kind == "O":  # texts, or categories of them
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
