"""Put one file of a data set where the workflow expects it: from the mirror, an address, or its originals.

Example:
  relatask retrieve_files --mirror ../data --out results/raw/tox21/tox21.csv \\
    --originals results/raw/.originals --entry '{"file": "tox21.csv", "path": "moleculenet/tox21.csv", \\
    "url": "-", "sha256": "-", "bytes": "-", "unpacked_sha256": "-", "conversion": "-", "originals": {}}'
"""

import argparse
import json
import logging
from pathlib import Path

from relatask.sources.services.retrieval import Places, retrieve_file


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the step's arguments."""
    parser.add_argument("--entry", required=True, type=json.loads, metavar="JSON", help="row of datasets.tsv")
    parser.add_argument(
        "--originals", required=True, type=Path, metavar="DIR", help="keeps originals that files are made of"
    )
    parser.add_argument("--mirror", default="", help="local folder with the same files; empty: none")
    parser.add_argument("--out", required=True, type=Path)


def run(arguments: argparse.Namespace) -> None:
    """Retrieve and check the file."""
    mirror = Path(arguments.mirror) if arguments.mirror else None
    digest = retrieve_file(arguments.entry, Places(mirror, arguments.originals), arguments.out)
    logging.info("%s: %d bytes, SHA-256 %s", arguments.out, arguments.out.stat().st_size, digest)
