"""List the studies that come with the project: their runs, how long they train, and files they need from you.

The hours are predictions of the plan for one core, from measured costs of each method; a GPU or more cores
take less. Files that are nowhere public must lie in the folder that `mirror` names.

Example:
  relatask studies
"""

import argparse
from pathlib import Path

from relatask.config import StudyConfig, load_study
from relatask.core.errors import RelataskError
from relatask.core.workflow_files import workflow_folder
from relatask.plan.plan import plan_runs
from relatask.sources.dataset_sheet import SheetFile, read_sheet

HEAD = ("study", "runs (quick)", "core-hours (quick)", "runs (paper)", "core-hours (paper)", "files from you")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, metavar="DIR", help="default: that of the workflow")


def run(arguments: argparse.Namespace) -> None:
    """Print a markdown table."""
    folder = arguments.config or workflow_folder() / "config"
    files = sorted((folder / "studies").glob("*.yaml"))
    if not files:
        raise RelataskError(f"{folder / 'studies'} holds no study; name the folder with --config.")
    sheet = read_sheet(folder / "datasets.tsv")
    print(f"| {' | '.join(HEAD)} |\n|:--|--:|--:|--:|--:|:--|")
    for file in files:
        study = load_study(file)
        cells = [file.stem, *_size(study, "quick"), *_size(study, "paper"), _needed(study, sheet)]
        print(f"| {' | '.join(cells)} |")


def _size(study: StudyConfig, scale: str) -> tuple[str, str]:
    """Return how many runs a scale has, and how many hours they take on one core."""
    if scale not in study.scales:
        return "–", "–"
    runs = plan_runs(study, scale)
    return f"{len(runs):,}", f"{sum(run.minutes for run in runs) / 60:,.1f}"


def _needed(study: StudyConfig, sheet: dict[str, list[SheetFile]]) -> str:
    """Return the names of data sets of which a file has no public address, and paths that the study names."""
    names = {name for _, name in study.in_sheet()}
    absent = sorted(name for name in names if not all(entry.is_public for entry in sheet.get(name, [])))
    given = sorted(name for name, source in study.sources.items() if getattr(source, "path", None))
    return ", ".join([*absent, *(f"{name} (path)" for name in given)]) or "none"
