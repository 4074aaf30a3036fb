"""Cut a long file into parts for `relatask predict_part`, one job each.

The record that is written last says which column of the parts holds the SMILES or texts.

Example:
    relatask scatter_rows --model models/assays/ensemble.json --file new.csv --parts 3 --folder new-parts \
        --record new-parts/of-00003.json
"""

import argparse
import logging
from pathlib import Path

from relatask.core.files import write_json
from relatask.core.layout import PREDICTION_ROWS
from relatask.core.options import positive_option
from relatask.models.prediction import load
from relatask.predicting.columns import header_of
from relatask.predicting.rows import read_column, rows_of
from relatask.predicting.scattered import scatter
from relatask.predicting.unchanged import Unchanged


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--model", required=True, type=Path, metavar="FILE", help="its model.json or ensemble.json"
    )
    parser.add_argument("--file", required=True, type=Path, metavar="FILE", help="with the items")
    parser.add_argument("--parts", required=True, type=positive_option, metavar="N")
    parser.add_argument("--folder", required=True, type=Path, metavar="DIR", help="of the parts")
    parser.add_argument("--record", required=True, type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Run the step."""
    file, n_parts = arguments.file, arguments.parts
    model = load(arguments.model.parent)
    unchanged = Unchanged(file)
    rows = rows_of(file, None, read_column(model, arguments.model.parent))
    header_of(model, rows.table.names, file)  # which refuses columns of a prediction's names
    name = Path(PREDICTION_ROWS).name
    scatter(
        rows,
        [
            arguments.folder / name.format(part=f"{number:05d}", parts=f"{n_parts:05d}")
            for number in range(1, n_parts + 1)
        ],
    )
    facts = {"column": rows.column, "file": str(file), "rows": len(rows), "sha256": unchanged.digest(file)}
    write_json(arguments.record, facts)
    logging.info("%s: %d rows in %d parts.", file, len(rows), n_parts)
