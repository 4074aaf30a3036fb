"""Write a study as the steps read it: one checked JSON file with its name and scale.

Example:
  relatask write_study --study-file config/studies/demo.yaml --scale quick --out results/demo/study.json
"""

import argparse
import logging
from pathlib import Path

from relatask.config import StudyAtScale, load_study
from relatask.core.errors import RelataskError
from relatask.core.files import write_text


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--study-file", required=True, type=Path, metavar="FILE", help="the study's YAML file"
    )
    parser.add_argument("--scale", required=True, choices=["quick", "paper"])
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the study.json")


def run(arguments: argparse.Namespace) -> None:
    """Check and write."""
    name, study = arguments.study_file.stem, load_study(arguments.study_file)
    if arguments.scale not in study.scales:
        raise RelataskError(f"--scale: study {name!r} has no scale {arguments.scale!r}.")
    write_text(arguments.out, StudyAtScale(name, arguments.scale, study).text())
    logging.info("%s: study %s at scale %s", arguments.out, name, arguments.scale)
