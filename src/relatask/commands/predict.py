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
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.options import part_option, positive_option
from relatask.models.wanted import Wanted
from relatask.predicting.prediction import Job, predict_file


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
        "--level", type=float, default=0.9, help="share of the truths that intervals hold; default: 0.9"
    )
    parser.add_argument(
        "--no-nearest",
        dest="nearest",
        action="store_false",
        help="leave out the nearest molecule of training, and what follows from its similarity; faster",
    )
    parser.add_argument("--members", action="store_true", help="say what each member of an ensemble says")
    parser.add_argument(
        "--embedding",
        type=Path,
        metavar="VECTORS",
        help="of a model that reads an embedding: table of SMILES and vectors of the molecules in FILE",
    )
    parser.add_argument(
        "--known",
        type=Path,
        metavar="FILE",
        help="results that are known of some of the items: a column of SMILES and one for each task; they "
        "stay as they are, and methods that read known labels use them for the other tasks",
    )
    parser.add_argument(
        *("-n", "--num-workers"),
        type=positive_option,
        metavar="N",
        help="processes that predict; default: as many as cores",
    )
    parser.add_argument(
        "--part",
        type=part_option,
        default=(1, 1),
        metavar="K/N",
        help="predict the K-th of N parts of the file alone, e.g. 3/16 on one of several machines",
    )
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])


def run(arguments: argparse.Namespace) -> None:
    """Predict."""
    model, file = _places(arguments)
    predict_file(
        Job(
            model,
            file,
            arguments.output,
            arguments.column,
            arguments.device,
            arguments.num_workers,
            arguments.part,
            Wanted(arguments.level, arguments.nearest, arguments.members),
            arguments.known,
            arguments.embedding,
        )
    )


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
