"""Read a source and standardise its molecules.

Writes molecules, rejected, tasks and labels (Parquet) and counts.json. Every input row ends as a
molecule or in rejected.parquet with its reason; every label is accounted for in counts.json.

Example:
    relatask standardise_molecules --source-config '{"reader": "table", "path": "my.csv"}' \\
        --name mine --out-dir results/sources/mine
"""

import argparse
import json
import logging
from pathlib import Path

from relatask.config import SourceConfig, parse
from relatask.core.errors import RelataskError
from relatask.core.files import write_json
from relatask.core.tables import write_table
from relatask.data.merge import standardise_source
from relatask.data.standardise import Limits
from relatask.sources.readers import read_source


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--source-config", required=True, metavar="JSON", help="block of `sources` as JSON")
    parser.add_argument("--name", required=True, help="key of the source")
    parser.add_argument("--raw", type=Path, metavar="DIR", help="its raw files; not needed with `path`")
    parser.add_argument("--out-dir", type=Path, required=True, metavar="DIR")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    try:
        block = json.loads(arguments.source_config)
    except json.JSONDecodeError as error:
        raise RelataskError(f"--source-config is not JSON ({error}); quote it for the shell.") from None
    config = parse(SourceConfig, block, f"sources.{arguments.name}")
    table = read_source(config, arguments.name, arguments.raw)
    source = standardise_source(table, Limits.of(config), arguments.name)
    for name in ("items", "rejected", "tasks", "labels", "classes"):
        write_table(name, getattr(source, name), arguments.out_dir / f"{name}.parquet")
    write_json(arguments.out_dir / "counts.json", source.counts)
    counts = source.counts
    logging.info(
        "%s: %d rows -> %d molecules (%d rejected, %d duplicates merged), %d labels in %d tasks, "
        "%d conflicting cells made missing.",
        arguments.name,
        counts["rows"],
        counts["molecules"],
        sum(counts["rejected"].values()),
        counts["duplicates_merged"],
        counts["labels"]["out"],
        counts["tasks"],
        counts["labels"]["conflicting_cells"],
    )
    for reason, count in counts["rejected"].items():
        logging.info("  rejected: %d x %s", count, reason)
