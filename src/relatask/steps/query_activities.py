"""Ask ChEMBL for all activities measured on a list of targets.

Writes activities.json: the targets with their proteins, the targets that ChEMBL does not know, and the
activities. Every answer is kept under --answers, so an interrupted query goes on where it stopped.

Example:
  relatask query_activities --source-config '{"reader": "chembl_activities", "targets": ["CHEMBL203"]}' \\
    --service-url https://www.ebi.ac.uk/chembl/api/data --answers results/mine/queries/egfr/answers \\
    --out results/mine/queries/egfr/activities.json
"""

import argparse
import logging

from relatask.core.blocks import parse
from relatask.core.files import canonical_json, json_option, write_text
from relatask.sources.chembl.chembl_activities import ChemblActivitiesSource
from relatask.sources.chembl.target_activities import collect_activities
from relatask.sources.services.arguments import add_service, client_and_address
from relatask.sources.services.chembl import Chembl


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--source-config", required=True, metavar="JSON", help="block of `sources`, or FILE#/PLACE of it"
    )
    add_service(parser, "ChEMBL")
    parser.add_argument("--out", required=True, metavar="FILE", help="activities.json")


def run(arguments: argparse.Namespace) -> None:
    """Ask for what is not there yet and write the activities."""
    block = json_option(arguments.source_config, "--source-config")
    config = parse(ChemblActivitiesSource, block, "--source-config")
    client, address = client_and_address(arguments, "ChEMBL")
    content = collect_activities(Chembl(client, address), config.targets)
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
