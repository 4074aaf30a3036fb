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
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from relatask import __version__
from relatask.commands._prediction_parts import STDOUT, Parts
from relatask.commands._prediction_rows import STDIN, Rows, copied_stdin, rows_of
from relatask.commands._prediction_workers import Asked, predict_all
from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of
from relatask.core.processes import usable_cores
from relatask.models.ensemble import SPREAD, Ensemble
from relatask.models.prediction import REASON, Model, load

PREDICTED = "_pred"  # after names of predictions, of a file that has columns of these names
LEAST_CHUNKS = 4  # for which a second process is worth the seconds in which it starts
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
        help="table with a column of SMILES or texts: CSV, Excel, SDF, Parquet or .smi; - reads a pipe",
    )
    parser.add_argument(
        *("-o", "--output", "--preds-path"),
        required=True,
        type=Path,
        metavar="OUT",
        help="CSV (.csv, .csv.gz) or Parquet to write; - writes CSV to a pipe",
    )
    parser.add_argument(
        *("-s", "--smiles-columns", "--smiles-column", "--column"),
        dest="column",
        metavar="NAME",
        help="of the table; default: smiles, or the column that holds some; of a model of texts text",
    )
    parser.add_argument(
        *("-n", "--num-workers"),
        type=_positive,
        metavar="N",
        help="processes that predict; default: as many as cores",
    )
    parser.add_argument(
        "--part",
        type=_part,
        default=(1, 1),
        metavar="K/N",
        help="predict the K-th of N parts of the file alone, e.g. 3/16 on one of several machines",
    )
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; give 1 or more.")
    return int(text)


def _part(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is no part; write K/N, e.g. 3/16 for the third of 16.")
    return int(match[1]), int(match[2])


def run(arguments: argparse.Namespace) -> None:
    """Find out what is asked of which model, and predict."""
    output = arguments.output
    folder, file = _places(arguments)
    if output.is_dir():
        raise RelataskError(f"{output} is a folder; name a file to write (-o).")
    if output != STDOUT and output.exists() and file.exists() and output.samefile(file):
        raise RelataskError(f"{output} is the file that is read; give the output another name (-o).")
    model = load(folder, arguments.device)
    if not model.column:
        raise RelataskError(
            f"{folder} reads more than a column of SMILES or texts; ask it in Python, by a "
            "table with the columns that docs/models.md names."
        )
    with TemporaryDirectory(prefix="relatask-") as scratch:
        if file == STDIN:
            file = copied_stdin(Path(scratch), arguments.column or model.column)
        rows = rows_of(file, arguments.column, model.column, arguments.part)
        header = _header(model, rows.table.names, file)
        job = {
            "model": model.digest,
            "file": sha256_of(file),
            "range": [rows.start, rows.end],
            "columns": [rows.column, *header],
            "version": __version__,
        }
        with Parts(output, Path(scratch) / "parts" if output == STDOUT else None) as parts:
            parts.begin(job)
            asked = Asked(folder, arguments.device, rows.column, tuple(header), parts.files)
            _predict_missing(asked, model, rows, arguments)
            n_empty = parts.join([*rows.table.names, *header], len(rows))
    log.info("%s: %d rows, %d of them without a prediction", output, len(rows), n_empty)


def _predict_missing(
    asked: Asked, model: Model | Ensemble, rows: Rows, arguments: argparse.Namespace
) -> None:
    """Predict the chunks of rows that are not there yet, and say how long it takes."""
    done = asked.files.done()
    before = sum(part.n_rows for part in done.values())
    chunks = rows.chunks(lambda number: number not in done)
    with tqdm(total=len(rows), initial=before, desc="predict", unit="row", disable=None, leave=False) as bar:
        try:
            for n_rows in predict_all(asked, model, chunks, _n_workers(arguments, rows.n_chunks - len(done))):
                bar.update(n_rows)
        except KeyboardInterrupt:
            log.info("%s keeps what is done; the same command goes on with it.", asked.files.folder)
            raise


def _n_workers(arguments: argparse.Namespace, n_chunks: int) -> int:
    """Return how many processes predict: as many as cores; one for few rows, which another would not save."""
    if arguments.device != "cpu":
        return 1
    wanted = arguments.num_workers or usable_cores()
    return 1 if n_chunks < LEAST_CHUNKS else min(wanted, n_chunks)


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
    if len({_named(column, names) for column in model.columns}) < len(model.columns):
        names = {task: task for task in names}  # tasks of one name, or a name that ends in `_unc`
    header = [_named(column, names) for column in model.columns]
    known = {*columns} & {*header} - {REASON}
    if known:
        marked = {task: f"{name}{PREDICTED}" for task, name in names.items()}
        header = [_named(column, marked) for column in model.columns]
    if clash := {*columns} & {*header}:
        raise RelataskError(f"{file} has a column {min(clash)!r}, which the predictions have too; rename it.")
    if known:
        log.info("%s has a column %r, so names of predictions end in %s.", file, min(known), PREDICTED)
    return header


def _named(column: str, names: Mapping[str, str]) -> str:
    """Return a column of predictions with the name of its task for the id."""
    task = column.removesuffix(SPREAD)
    if column in names or task not in names:
        return names.get(column, column)
    return f"{names[task]}{SPREAD}"
