"""Predict new molecules or texts by a trained model.

The output has the rows of the input in their order, all its columns, and a column for each task: the
probability of label 1, a value in the task's unit, or the name of a class. Where the input has columns of
these names, such as known results, those of predictions end in `_pred`. A row whose SMILES or text cannot be
used has empty predictions, and the column `reason` says why. A folder of models (`relatask train`) gives
their mean and, as `{task}_unc`, how much they differ. docs/models.md says more.

Examples:
  relatask predict --model-path models/assays -i new.csv -o predictions.csv
  relatask predict results/demo/runs/0123456789ab new.csv -o predictions.csv
  relatask predict model compounds.smi -o predictions.csv
  relatask predict model new.csv -o predictions.csv --smiles-columns structure
"""

import argparse
import csv
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from relatask.core.atomic import atomic_path
from relatask.core.errors import RelataskError
from relatask.models.ensemble import Ensemble
from relatask.models.prediction import REASON, Model, load
from relatask.sources.cells import text_of
from relatask.sources.table_description import describe_table
from relatask.sources.table_files import TableFile, find_column, open_table

PREDICTED = "_pred"  # after names of predictions, of a file that has columns of these names
ROWS = 4096  # in memory at a time
log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "places",
        nargs="*",
        type=Path,
        metavar="MODEL FILE",
        help="the same as --model-path and -i, in this order",
    )
    parser.add_argument(
        *("--model-path", "--model-paths"),
        type=Path,
        metavar="MODEL",
        help="folder of a model, of a finished run, or of models",
    )
    parser.add_argument(
        *("-i", "--data-path"),
        type=Path,
        metavar="FILE",
        help="table with a column of SMILES or texts: CSV, Excel, SDF, Parquet or .smi",
    )
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="OUT", help="CSV to write")
    parser.add_argument(
        *("-s", "--smiles-columns", "--smiles-column", "--column"),
        dest="column",
        metavar="NAME",
        help="of the table; default: smiles, or the column that holds some; of a model of texts text",
    )
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])


def run(arguments: argparse.Namespace) -> None:
    """Read, predict and write a chunk of rows after the other."""
    if arguments.output.is_dir():
        raise RelataskError(f"{arguments.output} is a folder; name a file to write (-o).")
    folder, file = _places(arguments)
    model = load(folder, arguments.device)
    n_rows, n_refused = 0, 0
    with ExitStack() as stack:
        if not model.column:
            raise RelataskError(
                f"{folder} reads more than a column of SMILES or texts; ask it in Python, by a "
                "table with the columns that docs/models.md names."
            )
        columns, place, rows = _reader(file, arguments.column, model.column)
        header = _header(model, columns, file)
        path = stack.enter_context(atomic_path(arguments.output))
        target = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow([*columns, *header])
        progress = stack.enter_context(tqdm(desc="predict", unit="row", disable=None, leave=False))
        while chunk := list(islice(rows, ROWS)):
            found = model.predict([row[place] for row in chunk])
            n_refused += int(found[REASON].notna().sum())
            for row, values in zip(chunk, found.itertuples(index=False), strict=True):
                writer.writerow([*row, *("" if pd.isna(value) else _text(value) for value in values)])
            n_rows += len(chunk)
            progress.update(len(chunk))
    log.info("%s: %d rows, %d of them without a prediction", arguments.output, n_rows, n_refused)


def _places(arguments: argparse.Namespace) -> tuple[Path, Path]:
    """Return the model's folder and the file.

    Raises:
        RelataskError: one of them is missing or named twice.
    """
    named, places = {"model": arguments.model_path, "file": arguments.data_path}, list(arguments.places)
    for what, given in named.items():
        if given is None and places:
            named[what] = places.pop(0)
    if places or None in named.values():
        raise RelataskError("name a model and a file: relatask predict --model-path MODEL -i FILE -o OUT.")
    return named["model"], named["file"]


def _header(model: Model | Ensemble, columns: Sequence[str], file: Path) -> list[str]:
    """Return the columns of the predictions: tasks by the names that the training file gives.

    Where the file has such a column, as known results do, `_pred` stands behind each name of a task.

    Raises:
        RelataskError: the file has a column of that name too.
    """
    names = model.names
    if len({*model.columns(names=names)}) < len(model.columns()):
        names = {task: task for task in names}  # tasks of one name, or a name that ends in `_unc`
    header = model.columns(names=names)
    known = {*columns} & {*header} - {REASON}
    if known:
        header = model.columns(names={task: f"{name}{PREDICTED}" for task, name in names.items()})
    if clash := {*columns} & {*header}:
        raise RelataskError(f"{file} has a column {min(clash)!r}, which the predictions have too; rename it.")
    if known:
        log.info("%s has a column %r, so names of predictions end in %s.", file, min(known), PREDICTED)
    return header


def _text(value: object) -> object:
    """Six digits tell apart what float32 tells apart for a reader."""
    return f"{value:.6g}" if isinstance(value, float) else value


def _reader(path: Path, named: str | None, usual: str) -> tuple[list[str], int, Iterator[list[str]]]:
    """Return the columns of a file, which of them holds the SMILES or texts, and its rows.

    Args:
        path: of the file.
        named: the column that the user names, if any.
        usual: the column that the model reads; where SMILES have another name, their column is found.

    Raises:
        RelataskError: there is no such file or column, or it cannot be read.
    """
    table = open_table(path)
    wanted = named or usual
    if named is None and usual == "smiles" and usual not in {name.strip().lower() for name in table.names}:
        wanted = describe_table(path).smiles_column or usual
        if wanted != usual:
            log.info("%s: SMILES are read from %r; --smiles-columns names another column.", path, wanted)
    option = "--smiles-columns" if usual == "smiles" else "--column"
    return table.names, table.names.index(find_column(table, wanted, option)), _rows(table)


def _rows(table: TableFile) -> Iterator[list[str]]:
    for batch in table.batches(table.names):
        columns = [[_cell(cell) for cell in column.to_pylist()] for column in batch.columns]
        yield from map(list, zip(*columns, strict=True))


def _cell(cell: object) -> str:
    """Texts stay as they are."""
    return cell if isinstance(cell, str) else text_of(cell, frozenset()) or ""
