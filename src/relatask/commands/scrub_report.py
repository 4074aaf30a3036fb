"""Take what names a person or a machine out of a report of Snakemake, so that it can be shown to others.

Snakemake writes the full paths of files and the values of params into its report, e.g. of a table in your
home folder. Paths below the folder where the workflow ran become relative, those of the project begin with
`relatask`, and of any other path the last name stays, as `…/name`. Names of the user and the host become
`[user]` and `[host]`. The report as Snakemake wrote it is removed, and the other one lies in the folder of
its study.

Example:
    snakemake --report results/.report.html
    relatask scrub_report results/.report.html
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.files import write_text
from relatask.core.workflow_files import workflow_folder
from relatask.publishing.provenance import scrub, without_names

# Snakemake's copies of the workflow's own files lie there by their full paths.
CACHE = re.compile(r"""[^,="']*/snakemake-runtime-cache/[^/]+/file(?=/)""")
# A param whose value is a path, which may hold spaces; params are separated by commas.
PATH_OF_PARAM = re.compile(r"(?<==)~?/[^,]*/(?=[^,/]+)")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("report", type=Path, help="the file that snakemake --report wrote")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the report to show; default: results/STUDY/report.html"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the report that can be shown, and remove the other."""
    out = write_scrubbed(arguments.report, arguments.out)
    print(f"Done. The report, {out}, shows the tables and figures of the study.")


def write_scrubbed(report: Path, out: Path | None = None) -> Path:
    """Write the report that can be shown, remove the other, and return the file.

    Args:
        report: that Snakemake wrote.
        out: the file; None: report.html in the folder of its study.

    Raises:
        RelataskError: it is no report of Snakemake, or of several studies.
    """
    try:
        text = report.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        raise RelataskError(
            f"{report} is no report in HTML; make one with snakemake --report {report}."
        ) from None
    for name, rewrite in (("results", _results), ("rules", _rules)):
        text, shown = _rewritten(text, name, rewrite, report)
        if name == "results":
            out = out or _of_study(shown, report)
    assert out is not None
    write_text(out, text)
    if out.resolve() != report.resolve():
        report.unlink()
    return out


def _of_study(shown: dict[str, Any], report: Path) -> Path:
    """Return where the report of the study belongs whose tables and figures it shows."""
    places = {Path(file).parts[:2] for file in shown if len(Path(file).parts) > 2}
    if len(places) != 1:
        raise RelataskError(f"{report} shows results of no study, or of several; name its place with --out.")
    return Path(*places.pop(), "report.html")


def _rewritten(text: str, name: str, rewrite: Any, report: Path) -> tuple[str, dict[str, Any]]:
    """Return the report with the value of its script `name`, which is JSON, as `rewrite` returns it; and it.

    Its other scripts are programs, which a replaced word would break, and facts without paths.
    """
    try:
        start = re.search(rf'<script id="{name}">\s*var {name} = ', text).end()  # type: ignore[union-attr]
        value, end = json.JSONDecoder().raw_decode(text, start)
        value = rewrite(value)
        return text[:start] + json.dumps(value) + text[end:], value
    except (AttributeError, KeyError, TypeError, ValueError):
        raise RelataskError(
            f"{report} holds no {name} in the form of Snakemake 9.27, so names and folders cannot be found; "
            "make it with the Snakemake of requirements.lock."
        ) from None


def _results(results: dict[str, Any]) -> dict[str, Any]:
    for result in results.values():
        job = result["job_properties"]
        job["params"] = PATH_OF_PARAM.sub("…/", _local(job["params"]))
        job["params"] = scrub(job["params"], Path.cwd())
        result["caption"] = _local(result["caption"])
    return results


def _rules(rules: dict[str, Any]) -> dict[str, Any]:
    for rule in rules.values():
        for key in ("input", "output"):
            rule[key] = [_path(file) for file in rule[key]]
    return rules


def _path(file: str) -> str:
    """Return a path as it is shown; a pattern such as `results/{dataset}/items.parquet` is none."""
    local = _local(file)
    return without_names(f"…/{Path(local).name}" if local.startswith(("/", "~")) else local)


def _local(text: str) -> str:
    """Return a text in which paths below the working folder and the project do not name these folders.

    The longest folder goes first, as one may lie in the other.
    """
    places = {Path.cwd(): "", workflow_folder(): "relatask/"}
    named = {f"{path}/": instead for place, instead in places.items() for path in (place, place.resolve())}
    text = CACHE.sub("", text)
    for path in sorted(named, key=len, reverse=True):
        text = re.sub(rf"(?<![\w./-]){re.escape(path)}", named[path], text) if path != "//" else text
    return text
