"""Draw the figures of a study: each of publishing/figures that it has.

Each figure becomes NAME.png, NAME.svg and NAME.parquet (the numbers that were drawn).
What it is made from lies beside study.json and, for data sets, beside its folder.

Example:
  relatask draw_figures --study results/demo/study.json --figures overview per_task-planted
"""

import argparse
from pathlib import Path

from relatask.config import figure_names, read_study
from relatask.publishing.inputs import Inputs
from relatask.publishing.outputs import draw_figures


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the step's files and options."""
    parser.add_argument("--study", required=True, type=Path, metavar="FILE", help="the study.json")
    parser.add_argument(
        "--figures", nargs="*", metavar="NAME", help="what to draw, e.g. per_task-tox21; default: all"
    )
    parser.add_argument("--out-dir", type=Path, metavar="DIR", help="default: the folder of study.json")


def run(arguments: argparse.Namespace) -> None:
    """Read the tables and draw."""
    study = read_study(arguments.study)
    folder = arguments.study.parent
    inputs = Inputs(study.study, study.scale, folder.parent, folder.name)
    names = figure_names(study.study) if arguments.figures is None else arguments.figures
    draw_figures(inputs, names, arguments.out_dir or folder)
