"""Write the tables that methods save besides predictions as csv and markdown, among the study's tables.

A row has the label, data set, split and seed of its run. Markdown shows the first rows, csv has all.

Example:
  relatask write_saved_tables --plan results/mine/plan.parquet --saved results/mine/saved \\
    --names task_attention --out-dir results/mine/tables
"""

import argparse
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from relatask.core.csv_files import write_csv
from relatask.core.files import write_text
from relatask.core.tables import read_table
from relatask.publishing.formatting import NOTHING, Table, to_markdown

SHOWN = 50  # rows in markdown
RUN = ["label", "dataset", "split", "seed"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help="table plan of the study")
    parser.add_argument(
        "--saved", required=True, type=Path, metavar="FOLDER", help="where merge_runs put them"
    )
    parser.add_argument("--names", required=True, nargs="+", metavar="NAME")
    parser.add_argument("--out-dir", required=True, type=Path, metavar="FOLDER")


def run(arguments: argparse.Namespace) -> None:
    """Write two files for each table."""
    plan = read_table("plan", arguments.plan, ["run_id", *RUN]).set_index("run_id")
    for name in arguments.names:
        table = pq.read_table(arguments.saved / f"{name}.parquet").to_pandas()
        own = [column for column in table.columns if column not in {"run_id", *RUN}]
        joined = plan.loc[table["run_id"].astype(str)].reset_index(drop=True).join(table[own])
        write_csv(joined, arguments.out_dir / f"saved_{name}.csv")
        write_text(arguments.out_dir / f"saved_{name}.md", to_markdown(_shown(name, joined)))


def _shown(name: str, table: pd.DataFrame) -> Table:
    """The first rows of a table as it is read."""
    rows = [[_cell(value) for value in row] for row in table.head(SHOWN).itertuples(index=False)]
    notes = (
        [] if len(table) <= SHOWN else [f"The first {SHOWN} of {len(table):,} rows; the csv file has all."]
    )
    header = list(map(str, table.columns))
    return Table(name, f"{name}, saved by the methods of the study", table, header, rows, len(RUN), notes)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return NOTHING if pd.isna(value) else f"{value:.4g}"
    return str(value)
