"""Ask STRING for the interactions among the human proteins of tasks.

First their STRING ids (get_string_ids), then the interactions (network), by POST in batches. Writes the
interaction table with all channels, of which relate_tasks takes one (escore is `experimental`, score is
`combined`), and the table `proteins`: how STRING calls each protein, or that it does not know it.

Example:
  relatask query_string --tasks results/mine/sources/lsc/tasks.parquet \\
    --service-url https://string-db.org/api --answers results/mine/queries/lsc/answers \\
    --out results/mine/queries/lsc/interactions.tsv --out-proteins results/mine/queries/lsc/proteins.parquet
"""

import argparse
import logging

from relatask.core.errors import RelataskError
from relatask.core.files import write_text
from relatask.core.tables import read_table, write_table
from relatask.sources.services.arguments import add_service, client_and_address
from relatask.sources.services.protein_ids import identifiers_of
from relatask.sources.services.string_db import String, table_of


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--tasks", required=True, metavar="FILE", help="table tasks")
    add_service(parser, "STRING")
    parser.add_argument("--out", required=True, metavar="FILE", help="interaction table, 13 columns")
    parser.add_argument("--out-proteins", required=True, metavar="FILE", help="table proteins")


def run(arguments: argparse.Namespace) -> None:
    """Ask for what is not there yet and write both tables."""
    identifiers = identifiers_of(read_table("tasks", arguments.tasks))
    if not identifiers:
        raise RelataskError(f"{arguments.tasks}: no task has a protein; give the source a `task_sheet`.")
    client, address = client_and_address(arguments, "STRING")
    string = String(client, address)
    proteins = string.string_ids(identifiers)
    rows = string.network(proteins.string_id.dropna())
    write_text(arguments.out, table_of(rows))
    write_table("proteins", proteins, arguments.out_proteins)
    logging.info(
        "%s: %d interactions; STRING knows %d of %d proteins (%d requests, %d answers were there already).",
        arguments.out,
        len(rows),
        int(proteins.string_id.notna().sum()),
        len(proteins),
        client.asked,
        client.reused,
    )
