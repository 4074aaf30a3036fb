"""Read a source and write its items, tasks and labels.

Writes items, rejected, tasks, labels and classes (Parquet) and counts.json. Of molecules, every input row
ends as an item or in rejected.parquet with its reason, and counts.json accounts for every label.

Example:
    relatask prepare_items --source-config '{"reader": "table", "path": "my.csv"}' \\
        --name mine --out-dir results/mine/sources/mine
"""

import argparse
import logging
from pathlib import Path

from relatask.core.files import json_option, write_json
from relatask.core.plugins import load_file
from relatask.core.source_block import source_block
from relatask.data.source_tables import SourceContext, SourceTables


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--source-config", required=True, metavar="JSON", help="block of `sources`, or FILE#/PLACE of it"
    )
    parser.add_argument("--name", required=True, help="key of the source")
    parser.add_argument("--raw", type=Path, metavar="DIR", help="its raw files; not needed with `path`")
    parser.add_argument(
        "--without-sheet", action="store_true", help="leave the sheet of proteins beside the raw files aside"
    )
    parser.add_argument(
        "--columns", nargs="*", default=[], metavar="NAME", help="columns that the items must keep"
    )
    parser.add_argument(
        "--schemes", nargs="*", default=[], metavar="NAME", help="of splits, for sources that read them"
    )
    parser.add_argument("--fractions", type=float, nargs=3, metavar=("TRAIN", "VALID", "TEST"))
    parser.add_argument("--out-dir", type=Path, required=True, metavar="DIR")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    values = json_option(arguments.source_config, "--source-config")
    block = source_block(values, f"sources.{arguments.name}")
    context = SourceContext(
        name=arguments.name,
        raw=arguments.raw,
        task_sheet=not arguments.without_sheet,
        columns=tuple(arguments.columns),
        schemes=tuple(arguments.schemes),
        fractions=tuple(arguments.fractions) if arguments.fractions else None,
    )
    tables: SourceTables = load_file(block.record).prepare(block, context)
    tables.write(arguments.out_dir)
    write_json(arguments.out_dir / "counts.json", tables.counts)
    logging.info(
        "%s: %d items, %d labels in %d tasks",
        arguments.name,
        *map(len, (tables.items, tables.labels, tables.tasks)),
    )
