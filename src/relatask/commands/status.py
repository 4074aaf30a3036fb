"""Say how far a study is: runs done, running, failed and pending, and the time left.

Run it in the folder that holds results/, at any time and as often as you like: it only reads.

Example:
    relatask status demo
    relatask status /scratch/results/demo
"""

import argparse
from collections import Counter
from pathlib import Path

from tabulate import tabulate

from relatask.core.errors import RelataskError
from relatask.core.layout import in_study
from relatask.core.progress import span
from relatask.journal.heartbeat import LastHeartbeat
from relatask.journal.status import STATES, RunStatus, StudyStatus, study_status
from relatask.journal.time_left import time_left

LISTED = 10  # lines of running or failed runs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("study", help="name of the study, or its folder of results")


def run(arguments: argparse.Namespace) -> None:
    """Print the status."""
    folder = study_folder(arguments.study)
    print("\n".join(describe(folder.resolve(), study_status(folder))))


def study_folder(study: str) -> Path:
    """Return the folder of a study's results, given its name or that folder.

    Raises:
        RelataskError: there is no plan.
    """
    folders = [Path(study), Path("results") / study]
    for folder in folders:
        if (folder / in_study("plan")).is_file():
            return folder
    raise RelataskError(
        f"there is no plan of the study {study!r} in {' or '.join(map(str, folders))}; run the workflow in "
        f"this folder first (snakemake --cores all --config study={study}), or give its folder of results."
    )


def describe(study: Path, status: StudyStatus) -> list[str]:
    """Return the lines for people about the study whose results are in the folder `study`."""
    counts = Counter(run.state for run in status.runs)
    totals = ", ".join(f"{counts[state]:,} {state}" for state in STATES)
    lines = [
        f"{study.name}: {len(status.runs):,} runs: {totals}",
        "",
        _table(status),
        "",
        _left(status),
    ]
    if status.searches:
        done, trials = (sum(getattr(one, name) for one in status.searches) for name in ("done", "trials"))
        lines += ["", f"searches for settings: {done:,} of {trials:,} trials"]
    if status.running:
        titles = {run.run_id: run for run in status.runs}
        lines += ["", "running:", *_some([_doing(last, titles) for last in status.running])]
    if failed := [run for run in status.runs if run.state == "failed"]:
        lines += ["", "failed, tried again when the workflow starts again:", *_reasons(failed)]
    if status.killed:
        logs = study.parent / "logs" / "train_shard"
        files = [f"shard {last.shard}: {logs / study.name}-{last.shard}.log" for last in status.killed]
        lines += ["", "killed in the middle of a run; their logs hold the last words:", *_some(files)]
    if outdated := sum(run.outdated for run in status.runs):
        lines += ["", f"{outdated:,} runs were trained under other code or data and will be trained again."]
    return lines


def _table(status: StudyStatus) -> str:
    """A row for each method, over data sets, splits and seeds."""
    counts: dict[str, Counter[str]] = {}
    for run in status.runs:
        counts.setdefault(run.label, Counter())[run.state] += 1
    seconds: dict[str, list[float]] = {label: [] for label in counts}
    for run in status.runs:
        if run.seconds is not None:
            seconds[run.label].append(run.seconds)
    rows = [
        [
            label,
            *(count[state] for state in STATES),
            span(sum(seconds[label]) / len(seconds[label])) if seconds[label] else "",
        ]
        for label, count in counts.items()
    ]
    header = ["method", *STATES, "mean time"]
    return tabulate(rows, headers=header, colalign=("left", *["right"] * 5), disable_numparse=True)


def _left(status: StudyStatus) -> str:
    left = time_left(status)
    if not left.work:
        return "left: nothing to train"
    basis = "" if left.measured else ", as predicted: no run has finished yet"
    work = f"{span(left.work)} of one core or GPU{basis}"
    if left.wall is None:
        return f"left: {work}; nothing is running"
    processes = "1 process" if len(status.running) == 1 else f"{len(status.running)} processes"
    return f"left: about {span(left.wall)} with {processes} as now ({work})"


def _doing(last: LastHeartbeat, runs: dict[str, RunStatus]) -> str:
    if last.run_id not in runs:
        return f"shard {last.shard} starts"
    return f"{runs[last.run_id].title}: {last.share:.0%} (shard {last.shard})"


def _reasons(failed: list[RunStatus]) -> list[str]:
    """The reasons, the most frequent first, each with one of its runs."""
    by_reason: dict[str, list[RunStatus]] = {}
    for run in failed:
        by_reason.setdefault(run.reason, []).append(run)
    ordered = sorted(by_reason.items(), key=lambda entry: -len(entry[1]))
    return _some(
        [f"{len(runs)} x {reason} (e.g. {runs[0].run_id}, {runs[0].title})" for reason, runs in ordered]
    )


def _some(lines: list[str]) -> list[str]:
    more = [f"  and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return [f"  {line}" for line in lines[:LISTED]] + more
