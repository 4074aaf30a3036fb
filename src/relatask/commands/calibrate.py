"""Compare predicted with measured cost, and print the factors that make shards as long as they should be.

Finished runs of a study, or of a pilot with one seed, say what a method costs on a data set on this machine.
The plan stays a function of the config alone: the factors count once you put them into the study file. No
run changes by them, so none is trained again.

Example:
    relatask calibrate demo
"""

import argparse

from tabulate import tabulate

from relatask.commands.status import study_folder
from relatask.core.errors import RelataskError
from relatask.journal.status import RunStatus, study_status
from relatask.journal.time_left import Measured


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("study", help="name of the study, or its folder of results")


def run(arguments: argparse.Namespace) -> None:
    """Print the comparison and the block of the config."""
    print("\n".join(describe(arguments.study, study_status(study_folder(arguments.study)).runs)))


def describe(study: str, runs: list[RunStatus]) -> list[str]:
    """Return the lines for people.

    Raises:
        RelataskError: no run has finished.
    """
    measured = Measured(runs, by_study=True)
    if not measured.factors:
        raise RelataskError(
            f"no run of the study {study!r} has finished yet, so there is nothing to compare."
        )
    rows, blocks = [], ["datasets:"]
    for dataset in dict.fromkeys(run.dataset for run in runs):
        factors = {}
        for label, first in {run.label: run for run in runs if run.dataset == dataset}.items():
            if (key := (dataset, label)) in measured.factors:
                factors[label] = float(f"{first.factor * measured.factors[key]:.2g}")
                predicted, seconds = measured.predicted[key], measured.seconds[key]
                rows.append([dataset, label, measured.n_runs[key], predicted, seconds, factors[label]])
        if factors:
            pairs = ", ".join(f"{label}: {factor:g}" for label, factor in factors.items())
            blocks += [f"  {dataset}:", f"    cost_factors: {{{pairs}}}"]
    header = ["data set", "method", "runs", "predicted (s)", "measured (s)", "factor"]
    table = tabulate(rows, headers=header, floatfmt=("", "", "", ".0f", ".0f", ".2g"))
    return [
        table,
        "",
        "In the study file these make shards as long as predicted; no result changes:",
        "",
        *blocks,
    ]
