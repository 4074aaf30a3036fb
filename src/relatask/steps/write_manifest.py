"""Write the digests of code, config, data, environment and every published output to one file.

The same inputs give the same manifest, but for its part `measured`: files that hold timings or facts of
a machine (costs, provenance), whose digests differ from run to run.

Example:
  relatask write_manifest --study results/demo/study.json --config 9f86d081884c7d65 --results results \\
    --outputs results/demo/tables/main.parquet --measured results/demo/tables/costs.parquet \\
    --out results/demo/manifest.json
"""

import argparse
import logging
from pathlib import Path

from relatask.config import read_study
from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of, source_digest, write_json
from relatask.core.source_code import PACKAGE
from relatask.publishing.provenance import packages

CODE = tuple(sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
PARTS = ("environment", "outputs", "measured")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FILE", help="the study.json")
    parser.add_argument(
        "--results", required=True, type=Path, metavar="DIR", help="with the records of the study's data"
    )
    parser.add_argument(
        "--config", required=True, metavar="SHA256", help="digest of config and study that ran"
    )
    for part, help_text in (
        ("environment", "files that pin packages, e.g. requirements.lock"),
        ("outputs", "merged tables, tables, figures"),
        ("measured", "outputs that hold timings or facts of a machine"),
    ):
        parser.add_argument(f"--{part}", nargs="*", default=[], type=Path, metavar="FILE", help=help_text)
    parser.add_argument("--out", required=True, type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Digest every file and write the manifest."""
    chosen = read_study(arguments.study)
    given = {part: vars(arguments)[part] for part in PARTS}
    given["data"] = [arguments.results / name for name in chosen.data_records()]
    if both := sorted(set(given["outputs"]) & set(given["measured"])):
        raise RelataskError(f"{both[0]} is given as --outputs and as --measured; a file is one of the two.")
    digests = {part: _digests(part, files) for part, files in given.items()}
    manifest = {
        "code": {part: source_digest(part) for part in CODE} | {"relatask": source_digest(".")},
        "config": {
            "study": chosen.name,
            "scale": chosen.scale,
            "sha256": arguments.config,  # and no text: a study may name files in somebody's home
        },
        "data": digests["data"],
        "environment": {"packages": packages(), "files": digests["environment"]},
        "outputs": digests["outputs"],
        "measured": digests["measured"],
    }
    write_json(arguments.out, manifest)
    logging.info("%s: digests of %d files", arguments.out, sum(len(files) for files in digests.values()))


def _digests(part: str, files: list[Path]) -> dict[str, str]:
    """SHA-256 by path relative to the working directory; of a file outside of it the last two names."""
    found: dict[str, str] = {}
    for path in files:
        if not path.is_file():
            raise RelataskError(f"--{part}: {path} does not exist; run the step that writes it first.")
        full, here = path.resolve(), Path.cwd().resolve()
        name = full.relative_to(here) if full.is_relative_to(here) else Path(*full.parts[-2:])
        digest = sha256_of(path)
        if found.setdefault(name.as_posix(), digest) != digest:
            raise RelataskError(f"--{part}: two files are called {name}; rename one of them.")
    return found
