"""Retrieve data sets of config/datasets.tsv into a folder, a `mirror` for machines without network.

Files are downloaded, or converted from their public originals, and checked; those that are there already and
right are left, and others are kept as FILE.other. The licence of each is shown: some may be used and not
passed on (docs/data.md).

Example:
    relatask retrieve string_v12 string_v12_aliases --out /data/mirror
    relatask retrieve --study kiba_string --out /data/mirror
"""

import argparse
import logging
from collections.abc import Iterable
from pathlib import Path

from relatask.config import StudyConfig, load_study
from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.core.source_block import TASK_SHEET
from relatask.sources.dataset_sheet import Sheet, SheetFile, read_sheet, retrieval_of
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
    wanted = _listed(arguments.names, sheet)
    if arguments.study:
        wanted += _read_by(_study_of(arguments.study, arguments.config), sheet)
    if not wanted:
        raise RelataskError(f"name a data set or a --study.{suggest('', sheet)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    places = Places(arguments.out, arguments.out / ".originals")
    for entry in dict.fromkeys(wanted):
        place, row = arguments.out / entry.path, retrieval_of(sheet, entry.name, entry.file)
        there = place.is_file() and is_as_expected(place, row)
        if not there:
            _put_aside(place)
            retrieve_file(row, places, place)
        logging.info("%s: %s. Licence: %s.", place, "is there" if there else "retrieved", entry.licence)


def _put_aside(place: Path) -> None:
    """Keep a file that is not what the sheet says under another name: it may be somebody's own version."""
    if place.is_file():
        other = place.with_name(f"{place.name}.other")
        place.replace(other)
        logging.warning(
            "%s is not what config/datasets.tsv says; it is now %s and retrieved again.", place, other
        )


def _listed(names: Iterable[str], sheet: Sheet) -> list[SheetFile]:
    """Return all files of data sets."""
    for name in names:
        if name not in sheet:
            raise RelataskError(f"{name!r} is not in config/datasets.tsv.{suggest(name, sheet)}")
    return [entry for name in names for entry in sheet[name]]


def _read_by(study: StudyConfig, sheet: Sheet) -> list[SheetFile]:
    """Return the files that a study reads: sheets of proteins only where it has relations or sequences."""
    files = _listed([name for _, name in study.in_sheet()], sheet)
    return [entry for entry in files if entry.file != TASK_SHEET or study.reads_proteins(entry.name)]


def _study_of(study: str, config: Path) -> StudyConfig:
    file = Path(study) if Path(study).suffix else config / "studies" / f"{study}.yaml"
    if not file.is_file():
        known = [path.stem for path in (config / "studies").glob("*.yaml")]
        raise RelataskError(f"there is no study {study}.{suggest(study, known)}")
    return load_study(file)
