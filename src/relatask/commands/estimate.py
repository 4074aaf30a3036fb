"""Say what a study will cost before anything runs: runs, hours of one core, memory, disk.

Predictions of the plan, from measured costs of each method and the size that the study expects (`size`). A
GPU or more cores take less time.

Examples:
  relatask estimate demo
  relatask estimate moleculenet --scale paper
  relatask estimate assays.yaml
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from relatask.config import StudyConfig, load_config
from relatask.core.progress import span
from relatask.core.registry import capabilities
from relatask.core.workflow_files import workflow_folder
from relatask.plan.cost import Size
from relatask.plan.plan import PlannedRun, plan_runs, planned_minutes
from relatask.plan.search import searched_rows, searches_of

BYTES_OF_CELL = 12  # of a prediction in a Parquet file, measured
HELD_OUT = 0.4  # of the items, in validation and test together
BYTES_OF_SPLIT = 8  # of a tree's file, for each label of training, measured
BITS = 2048  # of a fingerprint, the first layer of most networks
BYTES_OF_ITEM = 70  # of a training item, which each model names, measured


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("study", help="name of a study (relatask list studies), or a study file")
    parser.add_argument("--scale", default="quick", choices=["quick", "paper"], help="default: quick")


def run(arguments: argparse.Namespace) -> None:
    """Print a table of methods, and what all of them take."""
    _, name, study = load_config({"study": arguments.study, "scale": arguments.scale}, workflow_folder())
    print("\n".join(describe(name, study, arguments.scale)))


def describe(name: str, study: StudyConfig, scale: str) -> list[str]:
    """Return the lines for people."""
    runs = plan_runs(study, scale)
    searches = searches_of((run.spec for run in runs), study).values()
    rows = []
    for label in dict.fromkeys(run.spec.label for run in runs):
        own = [run for run in runs if run.spec.label == label]
        tried = [search for search in searches if search.spec.label == label]
        hours = planned_minutes(own, study) / 60
        disk = _megabytes(sum(_disk(run, study) for run in own))
        trials = [f"{sum(search.trials for search in tried):,}"] if searches else []
        rows.append([label, f"{len(own):,}", *trials, f"{hours:,.2f}", disk])
    header = ["method", "runs", *(["trials"] if searches else []), "core-hours", "disk"]
    table = tabulate(rows, header, colalign=("left", *["right"] * (len(header) - 1)))
    return [table, "", *_spaces(study, scale), in_all(name, study, scale, runs)]


def _spaces(study: StudyConfig, scale: str) -> list[str]:
    """Return a line for each searched row: its settings, and which values they may take."""
    lines = []
    for label, space in searched_rows(study, study.scales[scale]).items():  # type: ignore[index]
        said = ", ".join(f"{name} {_said(allowed)}" for name, allowed in space.items())
        lines.append(f"search of {label}: {said}")
    return [*lines, ""] if lines else []


def _said(allowed: Mapping[str, Any]) -> str:
    if "values" in allowed:
        return "|".join(map(str, allowed["values"]))
    scale = " (log)" if allowed.get("log") else ""
    return f"{allowed['least']} to {allowed['greatest']}{scale}"


def in_all(name: str, study: StudyConfig, scale: str, runs: Sequence[PlannedRun]) -> str:
    """Return one sentence about a study at a scale."""
    searches = searches_of((run.spec for run in runs), study).values()
    minutes = planned_minutes(runs, study)
    trials = f" and {sum(search.trials for search in searches):,} trials of settings" if searches else ""
    disk = sum(_disk(run, study) for run in runs)
    cells = max((_cells(entry.size) for entry in study.datasets.values()), default=0)
    memory = max(3.0, 2.0 + 8e-9 * cells)
    return (
        f"{name} at scale {scale}: {len(runs):,} runs{trials}, about {span(60 * minutes)} of one core, up to "
        f"{memory:.0f} GB of memory for each process, about {_megabytes(disk)} of disk."
    )


def _cells(size: Size) -> int:
    return size.items * size.tasks


def _megabytes(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6)):,} MB"


def _disk(run: PlannedRun, study: StudyConfig) -> float:
    """Return about how many bytes the predictions and the model of a run take."""
    spec, size = run.spec, study.datasets[run.spec.dataset].size
    labels = size.tasks * (size.labels_per_task or size.items)
    ability = capabilities("methods", spec.method.name)
    model = BYTES_OF_ITEM * size.items if run.collection is None else 0.0
    if trees := spec.method.options.get("n_estimators"):
        model += BYTES_OF_SPLIT * labels * (1 - HELD_OUT) * trees
    elif spec.encoder is not None:
        width, layers = (spec.encoder.options.get(name, 1) for name in ("width", "layers"))
        several = size.tasks if ability.per_task or ability.encoders == "per task" else 1
        model += 4 * several * width * (BITS + 2 * layers * width)
    return (BYTES_OF_CELL * labels * HELD_OUT + model) * spec.ensemble
