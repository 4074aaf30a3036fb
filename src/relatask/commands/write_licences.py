"""Write docs/licences.md: every pinned package with its version and licence, as its metadata state it.

Example:
    python -m relatask write_licences
"""

import argparse
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import relatask
from relatask.core.errors import RelataskError
from relatask.core.files import write_text

ROOT = Path(relatask.__file__).parents[2]
PIN = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
LONGEST = 120  # characters; longer is the text of a licence and not its name
HEAD = """# Licences of the packages that are installed

The versions of `requirements.lock`, with the licence that each package's own metadata or licence file names.
Written by `python -m relatask write_licences`; the tests compare it with the lock, and `pip check` says that
the versions fit together. None of them is part of relatask. quadprog (GPL) and qpsolvers (LGPL) are imported
by torchjd alone, for some aggregators of `balancing: jacobian`.

| package | version | licence |
|---|---|---|
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements.lock", metavar="FILE")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "licences.md", metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Write the page."""
    pins = PIN.findall(arguments.lock.read_text(encoding="utf-8"))
    rows = [f"| {name} | {version} | {licence_of(name)} |\n" for name, version in pins]
    write_text(arguments.page, HEAD + "".join(rows))


def licence_of(name: str) -> str:
    """Return the licence's name: its SPDX expression, field or trove classifier, else its file's first line.

    Raises:
        RelataskError: the package is not installed.
    """
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise RelataskError(f"{name} is not installed; run make test once, then this again.") from None
    fields = found.metadata.get_all
    classified = [line.rsplit(" :: ", 1)[-1] for line in fields("Classifier") or () if "License ::" in line]
    named = [*(fields("License-Expression") or ()), *(fields("License") or ()), ", ".join(classified)]
    lines = [" ".join(text.split()) for text in [*named, _first_line(found)]]
    return next((line for line in lines if 0 < len(line) <= LONGEST), "unknown").replace("|", "/")


def _first_line(found: Distribution) -> str:
    """The first line of text of a package's licence file."""
    for path in found.files or ():
        if path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
            return next((line for line in path.read_text().splitlines() if line.strip()), "")
    return ""
