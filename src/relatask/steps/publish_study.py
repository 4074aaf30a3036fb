"""Copy chosen tables and figures of a study to results/published with a record of where they come from.

provenance.json says: commit (and whether files differed from it), command, scale and what it reduced, seeds,
versions that trained the runs and made their features, with the number of these runs, packages that are
installed now, hardware, duration, data digests and the SHA-256 of each copy. It names no user, host or
folder of the machine.

Example:
  relatask publish_study --study results/demo/study.json \\
    --plan results/demo/plan.parquet --costs results/demo/costs.parquet --results results \\
    --files results/demo/tables/main.csv results/demo/tables/main.md results/demo/figures/overview.png \\
    --command 'snakemake --cores 2' --out-dir results/published/demo/quick
"""

import argparse
import logging
from pathlib import Path

from relatask.config import read_study
from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of, write_bytes, write_json
from relatask.core.layout import PROVENANCE, PUBLISHED_FIGURE_FORMATS, PUBLISHED_TABLE_FORMATS, in_study
from relatask.core.tables import read_table
from relatask.core.workflow_files import workflow_folder
from relatask.publishing.data_size import size_notes
from relatask.publishing.made_with import made_with, mixtures
from relatask.publishing.provenance import data_digests, durations, provenance

CELLS = in_study("cells")
KINDS = tuple(f".{suffix}" for suffix in (*PUBLISHED_TABLE_FORMATS, *PUBLISHED_FIGURE_FORMATS))


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FILE", help="the study.json")
    parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help="table plan")
    parser.add_argument("--costs", type=Path, nargs="*", default=[], metavar="FILE", help="tables costs")
    parser.add_argument(
        "--results", required=True, type=Path, metavar="DIR", help="with the records of the study's data"
    )
    parser.add_argument("--gains", nargs="*", default=[], type=Path, metavar="FILE", help="tables gains")
    parser.add_argument(
        "--files", required=True, nargs="+", type=Path, metavar="FILE", help="csv, md and png"
    )
    parser.add_argument("--command", default="", help="what a reader types to get these files")
    parser.add_argument("--out-dir", required=True, type=Path, metavar="DIR")


def run(arguments: argparse.Namespace) -> None:
    """Copy the files; write their record last, so that a folder that has it is whole."""
    chosen = read_study(arguments.study)
    study = chosen.study
    _check(arguments.files)
    for path in arguments.files:
        write_bytes(arguments.out_dir / path.name, path.read_bytes())
    plan = read_table("plan", arguments.plan)
    costs = [read_table("costs", path) for path in arguments.costs]
    records = [arguments.results / name for name in chosen.data_records()]
    versions = made_with(costs, plan, records)
    facts = {
        "study": chosen.name,
        "title": study.title,
        "scale": chosen.scale,
        "reduced": [*size_notes(study, arguments.results / chosen.name), *chosen.reduced],
        "seeds": sorted({int(seed) for seed in plan["seed"]}),
        **({"grouping_seeds": study.grouping.seeds} if study.grouping else {}),
        "data": data_digests([*records, *arguments.gains], arguments.results),
        "files": {path.name: sha256_of(arguments.out_dir / path.name) for path in sorted(arguments.files)},
        **({"unpublished": study.unpublished} if study.unpublished else {}),  # too large; made by the command
        "duration": durations(costs),
        "made_with": versions,
    }
    write_json(arguments.out_dir / PROVENANCE, provenance(facts, arguments.command, workflow_folder()))
    logging.info("%s: %d files and their %s", arguments.out_dir, len(arguments.files), PROVENANCE)
    for sentence in mixtures(versions, arguments.results / chosen.name):
        logging.warning(sentence)
    known = {path.name for path in arguments.files} | {PROVENANCE}
    for path in sorted(arguments.out_dir.iterdir()):
        if path.name not in known:
            logging.warning("%s is of an earlier publication; remove it if it is not meant to stay.", path)


def _check(files: list[Path]) -> None:
    """Refuse kinds that are not published and two files of one name, before anything is written."""
    names = [path.name for path in files]
    for path in files:
        if path.suffix not in KINDS and path.name != CELLS:
            raise RelataskError(f"--files: {path} is not published; only {', '.join(KINDS)} and {CELLS} are.")
        if not path.is_file():
            raise RelataskError(f"--files: {path} does not exist; write the tables and figures first.")
        if names.count(path.name) > 1:
            raise RelataskError(
                f"--files: two files are called {path.name}; they would overwrite each other."
            )
