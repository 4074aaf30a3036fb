"""Join the parts of a file's predictions, which jobs made apart.

Example:
    relatask join_predictions --parts predictions/new-parts/0000*.csv --out predictions/new.csv
"""

import argparse
import csv
import logging
from pathlib import Path

import pyarrow.parquet as pq

from relatask.core.atomic import atomic_path
from relatask.core.errors import RelataskError
from relatask.core.joined_files import csv_line, join_tables, join_texts


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parts", type=Path, nargs="+", required=True, metavar="FILE", help="in order")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    parts = arguments.parts
    kind = ".parquet" if arguments.out.suffix.lower() == ".parquet" else ".csv"
    if other := next((part for part in parts if part.suffix.lower() != kind), None):
        raise RelataskError(
            f"{other}: {arguments.out} is joined of {kind} files; let its parts be such files."
        )
    headers = [_header(part) for part in parts]
    if other := next((part for part, own in zip(parts, headers, strict=True) if own != headers[0]), None):
        raise RelataskError(f"{other} has other columns than {parts[0]}; delete both and run again.")
    with atomic_path(arguments.out) as temporary, temporary.open("wb") as target:
        if kind == ".parquet":
            join_tables(parts, [], target)
        else:
            pack = arguments.out.name.lower().endswith(".gz")
            join_texts(parts, headers[0], target, pack, skip=len(csv_line(headers[0])))
    logging.info("%s: joined %d parts.", arguments.out, len(parts))


def _header(part: Path) -> list[str]:
    """Return the names of the columns of a part."""
    if part.suffix.lower() == ".parquet":
        return [*pq.read_schema(part).names]
    with part.open(newline="", encoding="utf-8") as handle:
        return next(csv.reader(handle))
