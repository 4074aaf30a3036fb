"""Write the tables of a study that groups tasks: what groups gain, errors of estimates, gains, the groups.

Example:
  relatask write_grouping_tables --study-results results/mtg_published --study-config '{"title": ...}' \\
    --scale quick --published config/published.csv --out-dir results/mtg_published/tables
"""

import argparse
import json
import logging
from pathlib import Path

from relatask.config import StudyConfig, grouping_table_names, parse
from relatask.publishing.grouping_agreement import gain_agreement_table
from relatask.publishing.grouping_inputs import GroupingInputs
from relatask.publishing.grouping_tables import (
    estimation_errors_table,
    gain_distribution_table,
    grouping_table,
    groups_table,
)
from relatask.publishing.published_values import read_published
from relatask.publishing.tables import save

MAKERS = {
    "grouping": grouping_table,
    "estimation_errors": estimation_errors_table,
    "gain_distribution": gain_distribution_table,
    "gain_agreement": gain_agreement_table,
    "groups": groups_table,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study-results", required=True, type=Path, metavar="DIR", help="the study's folder")
    parser.add_argument("--study-config", required=True, metavar="JSON", help="the study, as its YAML file")
    parser.add_argument("--scale", required=True, choices=["quick", "paper"])
    parser.add_argument("--published", type=Path, metavar="FILE", help="numbers that papers report")
    parser.add_argument("--out-dir", required=True, type=Path, metavar="DIR")


def run(arguments: argparse.Namespace) -> None:
    """Make and write every table."""
    study = parse(StudyConfig, json.loads(arguments.study_config), "--study-config")
    published = read_published(arguments.published) if arguments.published else []
    inputs = GroupingInputs(study, arguments.scale, arguments.study_results, published)
    for name in grouping_table_names(study):
        table = MAKERS[name](inputs)
        save(table, arguments.out_dir)
        logging.info("%s: %d rows", arguments.out_dir / f"{table.name}.md", len(table.rows))
