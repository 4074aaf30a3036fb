"""The workflow run for people: Snakemake's words go into a file, and each stage is one line."""

import atexit
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from relatask.commands.scrub_report import write_scrubbed
from relatask.core.errors import RelataskError
from relatask.core.failures import Failures
from relatask.core.layout import in_study
from relatask.core.progress import span
from relatask.core.workflow_files import workflow_folder

# What people read -> the rules of it, in the order of the workflow; tasks are grouped between two trainings.
STAGES = {
    "reading and preparing": (
        *("retrieve_files", "plant_data", "query_activities", "query_assay_targets", "query_string"),
        *("prepare_items", "relate_tasks", "densify_dataset", "split_items", "featurise_items"),
        *("cluster_items", "prepare_dataset", "plan_runs", "check_leaks"),  # which waits for no training
    ),
    "training": (
        *(
            "search_settings",
            "train_shard",
            "merge_collection",
            "evaluate_collection",
            "collect_gains",
            "collect_affinities",
        ),
        *("read_gains", "estimate_gains", "select_sets", "select_groups", "encode_sets", "merge_runs"),
    ),
    "evaluating": (
        *("write_saved_tables", "evaluate_runs", "compare_methods", "resample_items", "impute_labels"),
        "describe_predictions",
    ),
    "writing tables and figures": ("write_tables", "draw_figures", "publish_study", "write_manifest"),
}
EVERY = 2.0  # seconds between looks at the journal, on a terminal
SELDOM = 60.0  # elsewhere, where each look is a line


class Stages(logging.Handler):
    """Listens to Snakemake's log and says which stage the workflow is at, one line each.

    Args:
        out: where the lines go; on a terminal the line of the stage at work is written over.
        left: what to add while training, e.g. how many runs are done.
    """

    def __init__(self, out: TextIO, left: Callable[[], str]):
        super().__init__()
        self.out, self.left, self.terminal = out, left, out.isatty() and os.environ.get("TERM") != "dumb"
        self.names = list(STAGES)
        self.stage: str | None = None
        self.since = 0.0
        self._ended = threading.Event()
        self._ticking = threading.Thread(target=self._tick, daemon=True)
        self._ticking.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of a job that starts."""
        event = getattr(record, "event", None)
        rule = getattr(record, "rule_name", None)
        if str(getattr(event, "value", event)) != "job_info" or rule in {None, "all"}:
            return
        stage = next((name for name, rules in STAGES.items() if rule in rules), self.names[-1])
        if self.stage is None or self.names.index(stage) > self.names.index(self.stage):
            self._end_stage()
            self.stage, self.since = stage, time.monotonic()
            self._show("")

    def close(self) -> None:
        """End the line of the last stage."""
        self._ended.set()
        self._ticking.join()
        self._end_stage()
        super().close()

    def _tick(self) -> None:
        while not self._ended.wait(EVERY if self.terminal else SELDOM):
            if self.stage:
                self._show(self.left() if self.stage == "training" else "")

    def _show(self, more: str) -> None:
        text = f"{self.stage}{': ' + more if more else ' ...'}"
        if self.terminal:
            print(f"\r\x1b[K{text}", end="", file=self.out, flush=True)
        elif more:
            print(text, file=self.out, flush=True)

    def _end_stage(self) -> None:
        if self.stage:
            start = "\r\x1b[K" if self.terminal else ""
            took = span(time.monotonic() - self.since)
            print(f"{start}{self.stage}: done in {took}", file=self.out, flush=True)
        self.stage = None


def run_workflow(study: Path, cores: str, name: str, config: Sequence[str] = ()) -> None:
    """Run the workflow on a study file, with results in results/ of the working folder.

    Snakemake runs in this process, so whatever ends this one ends it as well, and starting again goes on.

    Args:
        study: the file.
        cores: how many processes at once, or "all".
        name: of the study.
        config: further keys of config.yaml, as KEY=VALUE.

    Raises:
        RelataskError: it failed; the sentence is that of the step that did.
    """
    log = _log_of(name)
    log.parent.mkdir(parents=True, exist_ok=True)
    failures = Failures()
    with _words_into(log) as out:
        stages = Stages(out, lambda: _training(Path("results") / name))
        source = logging.getLogger("snakemake")
        handlers: list[logging.Handler] = [failures, stages]
        for handler in handlers:
            source.addHandler(handler)
        try:
            status = _snakemake(study, config, "--cores", cores)
        finally:
            for handler in handlers:
                source.removeHandler(handler)
                handler.close()
    if status:
        said = failures.sentence() or "the workflow was interrupted; start it again to go on."
        raise RelataskError(f"{said} (All that was said: {log})")


def write_report(study: Path, name: str, config: Sequence[str] = ()) -> Path | None:
    """Make the report of a study that is finished, tables and figures in one page; return its file.

    Args:
        study: the file.
        name: of the study.
        config: further keys of config.yaml, as KEY=VALUE.

    Returns:
        None where it cannot be made, and a line says how to try again: the results are worth more than it.
    """
    report, log = Path("results") / name / ".report.html", _log_of(name)
    with _words_into(log) as out:
        status = _snakemake(study, config, "--cores", "1", "--report", str(report))
        if status:
            said = f"snakemake --report {report} --config study={study}"
            print(f"the report could not be made, see {log}; to try again: {said}", file=out)
    return None if status else write_scrubbed(report)


def _log_of(name: str) -> Path:
    return Path("results", "logs", "train", f"{name}.log")


def _snakemake(study: Path, config: Sequence[str], *arguments: str) -> object:
    """Run Snakemake in this process and return its exit status, 0 or None where all went well."""
    from snakemake import cli

    folder = workflow_folder()
    fixed = [
        *("--snakefile", str(folder / "Snakefile")),
        *("--workflow-profile", str(folder / "profiles" / "default")),
        *("--config", f"study={study}", *config),
    ]
    try:
        cli.main([*arguments, *fixed])
    except SystemExit as end:
        return end.code
    finally:
        atexit.unregister(print)  # last lines of the workflow; the caller has its own
    return None


def _training(study: Path) -> str:
    """Say how many runs are trained, and the time left."""
    from relatask.journal.status import study_status
    from relatask.journal.time_left import time_left

    if not (study / in_study("plan")).is_file():
        return ""
    with suppress(RelataskError, OSError, ValueError):  # it is being written
        status = study_status(study)
        done = sum(run.state == "done" for run in status.runs)
        left = time_left(status)
        rest = f", about {span(left.wall)} left" if left.wall else ""
        tried, trials = (sum(getattr(one, name) for one in status.searches) for name in ("done", "trials"))
        searched = f"{tried} of {trials} trials, " if trials else ""
        return f"{searched}{done} of {len(status.runs)} runs{rest}"
    return ""


@contextmanager
def _words_into(log: Path) -> Iterator[TextIO]:
    """Send what this process and its children print to the end of a file; yield the stream that people see.

    Messages of Snakemake would also reach the handlers of the command line, so these rest meanwhile.
    """
    root = logging.getLogger()
    handlers = root.handlers[:]
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    with log.open("a", encoding="utf-8") as file, os.fdopen(os.dup(2), "w") as out:
        for handler in handlers:
            root.removeHandler(handler)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield out
        finally:
            with suppress(OSError):  # the disk is full
                sys.stdout.flush()
                sys.stderr.flush()
            for number, copy in enumerate(kept, start=1):
                os.dup2(copy, number)
                os.close(copy)
            for handler in handlers:
                root.addHandler(handler)
