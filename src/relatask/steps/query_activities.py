"""Ask ChEMBL for all activities measured on a list of targets.

Writes activities.json: the targets with their proteins, the targets that ChEMBL does not know, and the
activities. Every answer is kept under --answers, so an interrupted query goes on where it stopped.

Example:
  relatask query_activities --source-config '{"reader": "chembl_activities", "targets": ["CHEMBL203"]}' \\
    --service-url https://www.ebi.ac.uk/chembl/api/data --answers results/raw/egfr/answers \\
    --out results/raw/egfr/activities.json
"""

import argparse
import json
import logging

from relatask.core.blocks import parse
from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json, write_text
from relatask.sources.chembl.chembl_activities import ChemblActivitiesSource
from relatask.sources.chembl.target_activities import collect_activities
from relatask.sources.services.arguments import add_service, client_and_address
from relatask.sources.services.chembl import Chembl


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--source-config", required=True, metavar="JSON", help="block of `sources` as JSON")
    add_service(parser, "ChEMBL")
    parser.add_argument("--out", required=True, metavar="FILE", help="activities.json")


def run(arguments: argparse.Namespace) -> None:
    """Ask for what is not there yet and write the activities."""
    try:
        block = json.loads(arguments.source_config)
    except json.JSONDecodeError as error:
        raise RelataskError(f"--source-config is not JSON ({error}); quote it for the shell.") from None
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
