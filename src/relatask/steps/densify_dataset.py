"""Make a dataset: keep molecules and tasks with enough labels, and the relations between them.

Without --densify-config everything stays but tasks with one class only and molecules without a label.
What is left out is listed with its reason in rejected.parquet and rejected_tasks.parquet; the sizes of
every stage stand in dataset.json.

Example:
  relatask densify_dataset --source-dir results/mine/sources/kiba \\
    --relations results/mine/data/kiba/raw_relations.parquet \\
    --densify-config '{"tau": 100}' --out-dir results/mine/data/kiba
"""

import argparse
import logging
from pathlib import Path

from relatask.config import DensifyConfig, parse
from relatask.config.weights import WeightsConfig
from relatask.core.files import json_option
from relatask.data.dataset import write_dataset


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--source-dir", required=True, type=Path, metavar="DIR", help="results/STUDY/sources/NAME"
    )
    parser.add_argument("--relations", type=Path, metavar="FILE", help="table relations; default: none")
    parser.add_argument(
        "--relations-report", type=Path, metavar="FILE", help="report of relate_tasks, kept in dataset.json"
    )
    parser.add_argument(
        "--densify-config", default="null", metavar="JSON", help="block `densify`, or FILE#/PLACE of it"
    )
    parser.add_argument(
        "--weights-config", default="null", metavar="JSON", help="block `weights`, or FILE#/PLACE of it"
    )
    parser.add_argument(
        "--complete", action="store_true", help="keep all items and tasks, whatever labels they have"
    )
    parser.add_argument("--out-dir", required=True, type=Path, metavar="DIR", help="results/STUDY/data/NAME")


def run(arguments: argparse.Namespace) -> None:
    """Read a source and its relations, write the dataset."""
    block = json_option(arguments.densify_config, "--densify-config")
    config = None if block is None else parse(DensifyConfig, block, "--densify-config")
    given = json_option(arguments.weights_config, "--weights-config")
    counts = write_dataset(
        arguments.source_dir,
        arguments.relations,
        config,
        arguments.relations_report,
        arguments.out_dir,
        arguments.complete,
        None if given is None else parse(WeightsConfig, given, "--weights-config"),
    )
    logging.info(
        "%s: %d items, %d tasks, %d labels (%.1f %% of cells), %d relations",
        arguments.out_dir,
        *(counts[key] for key in ("items", "tasks", "labels")),
        100 * counts["labelled_share"],
        counts["edges"],
    )
