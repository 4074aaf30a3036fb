"""Compare methods on a table of molecules x assays and keep the best one as a model.

Looks at the table, writes a study file beside you (`relatask init` stops there), runs the workflow with its
results in results/, and ends with one sentence: which method is best, by how much, and whether learning the
assays together helped. The model is an ensemble over the splits, for `relatask predict`. A study file in the
place of the table is run as it is. What was done is not done again: stop it at any time and start it again.

Examples:
  relatask train assays.csv
  relatask train assays.csv --smiles-columns structure --target-columns hERG CYP3A4 --cores 4
  relatask train assays.csv --search 16
  relatask train assays.yaml -o models/second
  relatask predict --model-path models/assays -i new.csv -o predictions.csv
"""

import argparse
import logging
from pathlib import Path

from relatask.commands._losses import losses_of
from relatask.commands._sentence import model_places, require_measures, sentence_of
from relatask.commands._workflow import run_workflow, write_report
from relatask.commands.init import configure_table, files_of, write_study
from relatask.config import load_study
from relatask.core.errors import RelataskError
from relatask.models.record import require_replaceable

STUDIES = (".yaml", ".yml")
log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    configure_table(
        parser,
        "table of molecules x assays (CSV, Excel, SDF or Parquet), or several, or a study file (.yaml)",
    )
    parser.add_argument(
        *("-o", "--output-dir", "--save-dir"),
        type=Path,
        metavar="DIR",
        help="folder of the model; default: models/NAME",
    )
    parser.add_argument(
        "--config", nargs="+", default=[], metavar="KEY=VALUE", help="keys of config.yaml, e.g. device=cpu"
    )
    parser.add_argument("--cores", default="all", metavar="N", help="processes at once; default: all cores")


def run(arguments: argparse.Namespace) -> None:
    """Write the study file unless it is given, run the workflow, and say what came out."""
    files = files_of(arguments)
    study = files[0] if files[0].suffix in STUDIES else write_study(arguments, files)
    if study == files[0] and len(files) > 1:
        raise RelataskError("name one study file; write tables into its `path` as a list.")
    if study == files[0] and arguments.search is not None:
        said = f"search: {{trials: {arguments.search}}}"
        raise RelataskError(f"--search is for tables; write `{said}` into {study}.")
    if not study.is_file():
        raise RelataskError(f"there is no file {study}; give a table or a study file.")
    name, described = study.stem, load_study(study)
    models = arguments.output_dir or Path("models") / name
    require_measures(described, study)  # before anything is trained
    for place in model_places(described, models).values():
        require_replaceable(place)
    run_workflow(study, arguments.cores, name, arguments.config)
    folder = Path("results") / name
    for said in losses_of(folder):
        log.info("%s", said)
    said = sentence_of(folder, models)
    report = write_report(study, name, arguments.config)
    print(f"{said} Report: {report}." if report else said)
