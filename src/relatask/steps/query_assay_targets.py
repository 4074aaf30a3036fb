"""Ask ChEMBL which human proteins assays measure: assay -> target -> UniProt accessions.

Writes the table `assay_targets`: one row per assay, with the reason where there is no protein: unknown to
ChEMBL, not human, no protein. Every answer is kept under --answers, so an interrupted query goes on where
it stopped. Beside the raw files of LSC the table gives the assays their proteins.

Example:
  relatask query_assay_targets --assays results/raw/lsc/labelsHard.pckl \\
    --service-url https://www.ebi.ac.uk/chembl/api/data --answers results/raw/lsc/answers \\
    --out results/raw/lsc/assay_targets.parquet
"""

import argparse
import logging
from pathlib import Path

from relatask.core.tables import write_table
from relatask.sources.chembl.assay_targets import find_assay_targets, read_assay_ids
from relatask.sources.services.arguments import add_service, client_and_address
from relatask.sources.services.chembl import Chembl


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--assays", required=True, type=Path, metavar="FILE", help="assay ids, one a line, or labelsHard.pckl"
    )
    add_service(parser, "ChEMBL")
    parser.add_argument("--out", required=True, metavar="FILE", help="table assay_targets")


def run(arguments: argparse.Namespace) -> None:
    """Ask for what is not there yet and write the table."""
    client, address = client_and_address(arguments, "ChEMBL")
    ids = read_assay_ids(arguments.assays)
    table = find_assay_targets(Chembl(client, address), ids)
    write_table("assay_targets", table, arguments.out)
    logging.info(
        "%s: %d of %d assays have human proteins (%d requests, %d answers were there already).",
        arguments.out,
        int(table.reason.isna().sum()),
        len(table),
        client.asked,
        client.reused,
    )
