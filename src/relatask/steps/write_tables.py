"""Write the tables of a study: each of publishing/tables that it has, and those that it names.

Each becomes NAME.parquet and NAME.csv (unrounded), NAME.md, NAME.tex and NAME.html (as they are read).
What a table is made from lies beside study.json and, for data sets, beside its folder. Table `costs` is
measured, so it differs from run to run.

Example:
  relatask write_tables --study results/demo/study.json --published config/published.csv
"""

import argparse
from pathlib import Path

from relatask.config import read_study
from relatask.publishing.inputs import Inputs
from relatask.publishing.outputs import write_tables
from relatask.publishing.published_values import read_published


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FILE", help="the study.json")
    parser.add_argument("--published", type=Path, metavar="FILE", help="numbers that papers report")
    parser.add_argument("--out-dir", type=Path, metavar="DIR", help="default: the folder of study.json")


def run(arguments: argparse.Namespace) -> None:
    """Make and write every table."""
    study = read_study(arguments.study)
    folder = arguments.study.parent
    published = read_published(arguments.published) if arguments.published else []
    inputs = Inputs(study.study, study.scale, folder.parent, folder.name, published)
    write_tables(inputs, arguments.out_dir or folder)
