"""The files that a table becomes."""

from pathlib import Path

import pandas as pd

from relatask.core.csv_files import write_csv
from relatask.core.files import write_text
from relatask.core.tables import columns_of, write_table
from relatask.publishing.formatting import Table, one_line, to_latex, to_markdown
from relatask.publishing.page import table_page


def save(table: Table, out_dir: Path) -> None:
    """Write a table as parquet and csv (unrounded), md, tex and html (as read)."""
    name = f"table_{table.kind or table.name}"
    write_table(name, table.data, out_dir / f"{table.name}.parquet")
    write_csv(table.data[list(columns_of(name))], out_dir / f"{table.name}.csv")
    write_text(out_dir / f"{table.name}.md", to_markdown(table))
    write_text(out_dir / f"{table.name}.tex", to_latex(table))
    shown = pd.DataFrame([[one_line(cell) for cell in row] for row in table.rows], columns=list(table.header))
    write_text(out_dir / f"{table.name}.html", table_page(table.title, shown, table.notes))
