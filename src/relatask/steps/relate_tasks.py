"""Relate tasks through the interactions of their proteins.

With --aliases, proteins are found by the UniProt accessions of the tasks and not by their STRING ids.
Writes the table `relations`: one row per task pair whose proteins interact, with the best score. With
--out-report, also counts and the names of tasks and proteins that the interactions do not know.

Example:
  relatask relate_tasks --tasks results/mine/sources/kiba/tasks.parquet \\
    --interactions results/raw/string_v9_1/string_v9.1_human_edges_ge400.tsv.gz \\
    --relations-config '{"source": "string_v9", "channel": "experimental"}' \\
    --out results/mine/data/kiba/raw_relations.parquet
"""

import argparse
import logging
from pathlib import Path

from relatask.config import RelationsConfig, parse
from relatask.core.files import json_option, write_json
from relatask.core.tables import read_table, write_table
from relatask.data.interactions import read_interactions
from relatask.data.relations import relate_tasks
from relatask.sources.aliases import read_aliases
from relatask.sources.services.protein_ids import found_ids, with_string_ids


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--tasks", required=True, metavar="FILE", help="table tasks")
    parser.add_argument(
        "--interactions", required=True, nargs="+", metavar="FILE", help="STRING tables; several are one"
    )
    parser.add_argument(
        "--proteins", metavar="FILE", help="table proteins: the STRING ids that query_string found"
    )
    parser.add_argument(
        "--aliases", type=Path, metavar="FILE", help="STRING's protein.aliases: ids of UniProt accessions"
    )
    parser.add_argument(
        "--relations-config", required=True, metavar="JSON", help="block `relations`, or FILE#/PLACE of it"
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="table relations")
    parser.add_argument("--out-report", metavar="FILE", help="JSON: tasks and proteins without relations")


def run(arguments: argparse.Namespace) -> None:
    """Read tasks and interactions, write relations."""
    config = parse(
        RelationsConfig, json_option(arguments.relations_config, "--relations-config"), "--relations-config"
    )
    tasks = read_table("tasks", arguments.tasks)
    if arguments.proteins:
        tasks = with_string_ids(tasks, found_ids(read_table("proteins", arguments.proteins)))
    elif arguments.aliases:
        own = {id_: [id_] for ids in tasks["string_ids"] for id_ in ids}  # of tasks without an accession
        accessions = {name for names in tasks["uniprots"] for name in names}
        tasks = with_string_ids(tasks, own | read_aliases(arguments.aliases, accessions))
    interactions = read_interactions(arguments.interactions, config.channel)
    relations, report = relate_tasks(tasks, interactions, config)
    write_table("relations", relations, arguments.out)
    if arguments.out_report:
        write_json(arguments.out_report, report)
    counts = {key: len(value) if isinstance(value, list) else value for key, value in report.items()}
    logging.info("relations: %s", ", ".join(f"{key} {value}" for key, value in counts.items()))
