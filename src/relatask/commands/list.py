"""List what there is: methods, encoders, inputs, balancing, sources, splits, studies, one line each.

The lines are what each file says of itself, so what you add is listed too. `relatask studies` says how long
the studies train and which files they need from you.

Examples:
  relatask list
  relatask list methods
  relatask list splits studies
"""

import argparse
from collections.abc import Callable, Mapping

from relatask.core.errors import RelataskError
from relatask.core.plugins import input_records, scheme_records, source_records
from relatask.core.records import suggest
from relatask.core.registry import catalogue
from relatask.core.workflow_files import workflow_folder

WIDTH = 22  # of names


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)}; default: all")


def run(arguments: argparse.Namespace) -> None:
    """Print names and summaries."""
    kinds = arguments.kinds or list(KINDS)
    for kind in kinds:
        if kind not in KINDS:
            raise RelataskError(f"there is no kind {kind!r}.{suggest(kind, KINDS)}")
    for number, kind in enumerate(kinds):
        if len(kinds) > 1:
            print(f"{chr(10) if number else ''}{kind}:")
        for name, summary in KINDS[kind]().items():
            print(f"  {name:{WIDTH}} {summary}")


def _entries(kind: str) -> Callable[[], Mapping[str, str]]:
    return lambda: {name: ability.summary for name, ability in catalogue(kind).items()}


def _sources() -> Mapping[str, str]:
    return {name: record.summary for name, record in source_records().items()}


def _inputs() -> Mapping[str, str]:
    return {name: record.summary for name, record in input_records().items()}


def _splits() -> Mapping[str, str]:
    return {name: record.summary for name, record in scheme_records().items()}


def _studies() -> Mapping[str, str]:
    from relatask.config import load_study

    files = sorted((workflow_folder() / "config" / "studies").glob("*.yaml"))
    return {file.stem: load_study(file).title for file in files}


KINDS: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "methods": _entries("methods"),
    "encoders": _entries("encoders"),
    "inputs": _inputs,
    "balancing": _entries("balancing"),
    "sources": _sources,
    "splits": _splits,
    "studies": _studies,
}
