"""Draw the figures of a study that groups tasks.

Each figure becomes NAME.png, NAME.svg and NAME.parquet (the numbers that were drawn) in the output folder.

Example:
    relatask draw_grouping_figures --study-results results/mtg_published --study-config '{"title": ...}' \\
        --figures grouping_performance-ettm1 --out-dir results/mtg_published/figures
"""

import argparse
import json
from pathlib import Path

from relatask.config import StudyConfig, parse
from relatask.publishing.grouping_figures import draw_grouping_figures
from relatask.publishing.grouping_inputs import GroupingInputs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the step's files and options."""
    parser.add_argument("--study-results", required=True, type=Path, metavar="DIR", help="the study's folder")
    parser.add_argument("--study-config", required=True, metavar="JSON", help="the study, as its YAML file")
    parser.add_argument(
        "--figures", required=True, nargs="+", metavar="NAME", help="what to draw, e.g. grouping_rounds-mimic"
    )
    parser.add_argument("--out-dir", required=True, type=Path, metavar="DIR")


def run(arguments: argparse.Namespace) -> None:
    """Read the tables and draw."""
    study = parse(StudyConfig, json.loads(arguments.study_config), "--study-config")
    inputs = GroupingInputs(study, "quick", arguments.study_results)
    draw_grouping_figures(inputs, arguments.figures, arguments.out_dir)
