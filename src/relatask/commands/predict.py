"""Predict new molecules or texts by a trained model.

The output has the rows of the input in their order, all its columns, and a column for each task: the
probability of label 1, a value in the task's unit, or the name of a class. A row whose SMILES or text cannot
be used has empty predictions, and the column `reason` says why. A folder of models (`relatask train`) gives
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
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from relatask.core.atomic import atomic_path
from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.models.prediction import REASON, load

ROWS = 4096  # in memory at a time
LINES = (".smi", ".smiles")  # endings of files with a SMILES a line
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
        help="CSV with a column of SMILES or texts, or .smi: SMILES and a name a line",
    )
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="OUT", help="CSV to write")
    parser.add_argument(
        *("-s", "--smiles-columns", "--smiles-column", "--column"),
        dest="column",
        metavar="NAME",
        help="of a CSV (default: smiles, or of a model of texts text; in any case)",
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
        source = stack.enter_context(file.open(encoding="utf-8-sig", newline=""))
        if not model.column:
            raise RelataskError(
                f"{folder} reads more than a column of SMILES or texts; ask it in Python, by a "
                "table with the columns that docs/models.md names."
            )
        if model.column != "smiles" and file.suffix in LINES:
            raise RelataskError(f"{file} has lines of SMILES, and the model reads {model.column}s.")
        columns, place, rows = _reader(source, file, arguments.column or model.column)
        if clash := sorted({*columns} & {*model.columns}):
            raise RelataskError(
                f"{file} has a column {clash[0]!r}, which the predictions have too; rename it."
            )
        path = stack.enter_context(atomic_path(arguments.output))
        target = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow([*columns, *model.columns])
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


def _text(value: object) -> object:
    """Six digits tell apart what float32 tells apart for a reader."""
    return f"{value:.6g}" if isinstance(value, float) else value


def _reader(source: Iterable[str], path: Path, wanted: str) -> tuple[list[str], int, Iterator[list[str]]]:
    """Return the columns of a file, which of them holds the SMILES or texts, and its rows.

    Raises:
        RelataskError: there is no such column or more than one, a row is longer or shorter than the header,
            or the file is no text.
    """
    if path.suffix in LINES:
        lines = (row[0].strip().split(maxsplit=1) for row in _readable(([line] for line in source), path))
        return ["smiles", "name"], 0, ([*parts, ""][:2] for parts in lines if parts)
    reader = csv.reader(source, strict=True)
    table = _readable(reader, path)
    columns = next(table, None)
    if columns is None:
        raise RelataskError(f"{path} is empty; its first row must name the columns, one of them {wanted!r}.")
    numbered = _numbered(table, lambda: reader.line_num)
    return columns, _place(columns, wanted, path), _rows(numbered, len(columns), path)


def _place(columns: list[str], wanted: str, path: Path) -> int:
    """Return the position of a column: the one of this name, else the one in another case."""
    for same in (str, str.casefold):
        places = [place for place, name in enumerate(columns) if same(name) == same(wanted)]
        if len(places) == 1:
            return places[0]
        if places:
            raise RelataskError(
                f"{path} has {len(places)} columns {wanted!r}, in upper and lower case; rename all but one."
            )
    raise RelataskError(f"{path} has no column {wanted!r} (--column).{suggest(wanted, columns)}")


def _numbered(table: Iterator[list[str]], last: Callable[[], int]) -> Iterator[tuple[int, list[str]]]:
    """Yield the line in which each row begins; `last` gives the last one that was read."""
    before = last()
    for row in table:
        yield before + 1, row
        before = last()


def _rows(lines: Iterator[tuple[int, list[str]]], width: int, path: Path) -> Iterator[list[str]]:
    for line, row in lines:
        if not row:
            continue
        if len(row) != width:
            raise RelataskError(f"{path}, line {line}: {len(row)} cells, but the header has {width}.")
        yield row


def _readable(rows: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    """Yield rows of a file; what is no text or no CSV is a sentence."""
    try:
        yield from rows
    except UnicodeDecodeError as error:
        raise RelataskError(f"{path} is no text in UTF-8 ({error.reason}); save it as UTF-8.") from None
    except csv.Error as error:
        raise RelataskError(f"{path} is no CSV that can be read ({error}); save it as CSV anew.") from None
