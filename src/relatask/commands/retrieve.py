"""Retrieve data sets of config/datasets.tsv into a folder, a `mirror` for machines without network.

Files are downloaded, or converted from their public originals, and checked; those that are there already and
right are left. The licence of each is shown: some may be used and not passed on (docs/data.md).

Example:
    relatask retrieve string_v12 string_v12_aliases --out /data/mirror
    relatask retrieve --study kiba_string --out /data/mirror
"""

import argparse
import logging
from pathlib import Path

from relatask.config import load_study
from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.sources.dataset_sheet import read_sheet, retrieval_of
from relatask.sources.services.retrieval import Places, is_as_expected, retrieve_file


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="data sets of config/datasets.tsv")
    parser.add_argument("--study", help="all that a study needs: its name, or its file")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the files go")
    parser.add_argument("--config", type=Path, default=Path("config"), metavar="DIR", help="default: config")


def run(arguments: argparse.Namespace) -> None:
    """Retrieve the files, one after the other."""
    sheet = read_sheet(arguments.config / "datasets.tsv")
    names = [*arguments.names, *(_names_of(arguments.study, arguments.config) if arguments.study else [])]
    if not names:
        raise RelataskError(f"name a data set or a --study.{suggest('', sheet)}")
    for name in names:
        if name not in sheet:
            raise RelataskError(f"{name!r} is not in config/datasets.tsv.{suggest(name, sheet)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    places = Places(arguments.out, arguments.out / ".originals")
    for entry in (entry for name in dict.fromkeys(names) for entry in sheet[name]):
        place, row = arguments.out / entry.path, retrieval_of(sheet, entry.name, entry.file)
        there = place.is_file()
        if there and not is_as_expected(place, row):
            place.unlink()
            there = False
        if not there:
            retrieve_file(row, places, place)
        logging.info("%s: %s. Licence: %s.", place, "is there" if there else "retrieved", entry.licence)


def _names_of(study: str, config: Path) -> list[str]:
    file = Path(study) if Path(study).suffix else config / "studies" / f"{study}.yaml"
    if not file.is_file():
        known = [path.stem for path in (config / "studies").glob("*.yaml")]
        raise RelataskError(f"there is no study {study}.{suggest(study, known)}")
    return [name for _, name in load_study(file).in_sheet()]
