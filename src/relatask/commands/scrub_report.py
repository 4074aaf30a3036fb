"""Take what names a person or a machine out of a report of Snakemake, so that it can be shown to others.

Snakemake writes the full paths of files and of the workflow into its report, e.g. of a table in your home
folder. Folders of this machine become `.` (where the workflow ran), `relatask` (the project) and `~` (home).

Example:
    relatask scrub_report results/report.html
"""

import argparse
import logging
import re
import socket
from pathlib import Path

import relatask
from relatask.core.errors import RelataskError
from relatask.core.files import write_text


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("report", type=Path, help="the file that snakemake --report wrote; it is replaced")


def run(arguments: argparse.Namespace) -> None:
    """Rewrite the report."""
    try:
        text = arguments.report.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        raise RelataskError(
            f"{arguments.report} is no report in HTML; make one with snakemake --report {arguments.report}."
        ) from None
    scrubbed = scrub(text)
    if scrubbed != text:
        write_text(arguments.report, scrubbed)
        logging.info("%s: folders of this machine are taken out", arguments.report)


def scrub(text: str) -> str:
    """Return `text` without the paths of the working folder, the project and the home folder, and the host.

    The longest folder goes first, as one may lie in another.
    """
    places = {Path.cwd(): ".", Path(relatask.__file__).parents[2]: "relatask", Path.home(): "~"}
    named = {str(path): instead for place, instead in places.items() for path in (place, place.resolve())}
    for path in sorted(named, key=len, reverse=True):
        if path != "/":
            text = re.sub(rf"{re.escape(path)}(?![\w.-])", named[path], text)
    host = socket.gethostname()
    return re.sub(rf"(?<![\w-]){re.escape(host)}(?![\w-])", "[host]", text) if len(host) > 3 else text
