"""Ask ChEMBL for all activities measured on a list of targets.

Writes activities.json: the targets with their proteins, the targets that ChEMBL does not know, and the
activities. Every answer is kept under --answers, so an interrupted query goes on where it stopped.

Example:
  relatask query_activities --source-config '{"reader": "chembl_activities", "targets": ["CHEMBL203"]}' \\
    --service-url https://www.ebi.ac.uk/chembl/api/data --answers results/raw/egfr/answers \\
    --out results/raw/egfr/activities.json
"""

import argparse
import logging
from pathlib import Path

from relatask.core.blocks import parse
from relatask.core.files import canonical_json, json_option, write_text
from relatask.sources.chembl.chembl_activities import ChemblActivitiesSource
from relatask.sources.chembl.target_activities import collect_activities
from relatask.sources.services.chembl import Chembl
from relatask.sources.services.http import Client


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--source-config", required=True, metavar="JSON", help="block of `sources`, or FILE#/PLACE of it"
    )
    parser.add_argument("--service-url", required=True, metavar="URL", help="ChEMBL's web service")
    parser.add_argument("--requests-per-second", type=float, default=1.0, metavar="N")
    parser.add_argument("--answers", required=True, type=Path, metavar="DIR", help="answers as they came")
    parser.add_argument("--out", required=True, metavar="FILE", help="activities.json")


def run(arguments: argparse.Namespace) -> None:
    """Ask for what is not there yet and write the activities."""
    block = json_option(arguments.source_config, "--source-config")
    config = parse(ChemblActivitiesSource, block, "--source-config")
    client = Client("ChEMBL", arguments.answers, arguments.requests_per_second)
    content = collect_activities(Chembl(client, arguments.service_url.rstrip("/")), config.targets)
    write_text(arguments.out, canonical_json(content) + "\n")
    logging.info(
        "%s: %d activities on %d targets, %d targets unknown (%d requests, %d answers were there already).",
        arguments.out,
        len(content["activities"]),
        len(content["targets"]),
        len(content["unknown_targets"]),
        client.asked,
        client.reused,
    )
