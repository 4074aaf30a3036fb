"""How far a study is: what is done, running, failed and pending, and what is left to do.

Read from the plan, the journal and the heartbeats of the shards, without torch and without writing anything.
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.files import read_fields, read_json
from relatask.core.layout import dataset_folder, in_dataset, in_study
from relatask.core.tables import read_rows
from relatask.journal.digests import Digests, code_of_run, data_of_run, forms_of_run
from relatask.journal.heartbeat import LastHeartbeat, read_heartbeats
from relatask.journal.journal_entry import FILES, read_record
from relatask.journal.search_status import SearchStatus, search_status
from relatask.plan.cost import PreparedSize, predicted_minutes
from relatask.plan.spec import RunSpec

STATES = ("done", "running", "failed", "pending")
PLANNED = [
    "run_id",
    "label",
    "dataset",
    "method",
    "encoder",
    "balancing",
    "split",
    "seed",
    "predicted_minutes",
]


@dataclass
class RunStatus:
    """A planned run and what became of it so far.

    `done`: the journal holds it under the code and the data of now. `running`: a live shard says that it
    trains it. `failed`: it was tried and failed, and will be tried again when the workflow starts again.
    `pending`: all others.
    """

    run_id: str
    label: str
    dataset: str
    split: str
    seed: int
    shard: int
    predicted: float  # seconds, from the size that the study expects
    factor: float  # of the config, contained in `predicted`
    expected: float  # seconds, from the size of the prepared data set where there is one
    state: str = "pending"
    share: float = 0.0  # that is done, of a running one
    seconds: float | None = None  # measured, of one that is done now or was under other code or data
    outdated: bool = False  # it was done under other code or data
    reason: str = ""  # of a failed one

    @property
    def title(self) -> str:
        """What messages call the run."""
        return f"{self.label} on {self.dataset}, {self.split} split, seed {self.seed}"


@dataclass(frozen=True)
class StudyStatus:
    """All planned runs of a study, in the plan's order, and its shards that run or were killed."""

    runs: list[RunStatus]
    running: list[LastHeartbeat]
    killed: list[LastHeartbeat]  # in the middle of a run that nobody has finished since
    searches: list[SearchStatus] = field(default_factory=list)  # that runs wait for


def study_status(study: Path) -> StudyStatus:
    """Return the status of the study whose results are in the folder `study`.

    Raises:
        RelataskError: it has no plan yet.
    """
    rows = read_rows("plan", study / in_study("plan"), [*PLANNED, "cost_factor", "shard", "spec"])
    runs = {row["run_id"]: _status_of(row) for row in rows}
    _expect_by_size(study, rows, runs)
    _find_done(study, rows, runs)
    failures = _names_in(study / in_study("failed"))
    for run_id, run in runs.items():
        if run.state == "pending" and f"{run_id}.json" in failures:
            run.state = "failed"
            run.reason = _reason_in(study / in_study("failed") / f"{run_id}.json")
    heartbeats = read_heartbeats(study)
    running = [heartbeat for heartbeat in heartbeats if heartbeat.running]
    for heartbeat in running:
        trained = runs.get(heartbeat.run_id or "")
        if trained is not None and trained.state != "done":
            trained.state = "running"
            trained.share = heartbeat.share
    unfinished = {run_id for run_id, run in runs.items() if run.state in {"pending", "failed"}}
    silent = [heartbeat for heartbeat in heartbeats if not heartbeat.running]
    killed = [heartbeat for heartbeat in silent if heartbeat.run_id in unfinished]
    searches = search_status(study, rows, {run_id: run.expected for run_id, run in runs.items()})
    return StudyStatus(list(runs.values()), running, killed, searches)


def _status_of(row: dict[str, Any]) -> RunStatus:
    names = ("run_id", "label", "dataset", "split", "seed", "shard")
    predicted = 60 * row["predicted_minutes"]
    own = {name: row[name] for name in names}
    return RunStatus(**own, predicted=predicted, factor=row["cost_factor"], expected=predicted)


def _expect_by_size(study: Path, rows: list[dict[str, Any]], runs: dict[str, RunStatus]) -> None:
    """Predict runs on prepared data sets by the size that these have; runs of a row cost the same."""
    sizes: dict[str, PreparedSize | None] = {}
    seconds: dict[tuple[str, str], float] = {}
    for row in rows:
        dataset, key = row["dataset"], (row["dataset"], row["label"])
        if dataset not in sizes:
            sizes[dataset] = _prepared_size(study / dataset_folder(dataset))
        if (size := sizes[dataset]) is None:
            continue
        if key not in seconds:
            spec = RunSpec.from_json(json.loads(row["spec"]))
            parts = spec.tasks["of"] if isinstance(spec.tasks, dict) else 1
            seconds[key] = 60 * row["cost_factor"] * predicted_minutes(spec, size, parts)
        runs[row["run_id"]].expected = seconds[key]


def _prepared_size(folder: Path) -> PreparedSize | None:
    """Return the size of a data set, None while it is not prepared."""
    try:
        found = read_fields(folder / in_dataset("dataset"), items=int, tasks=int, labels=int)
    except RelataskError:
        return None
    return PreparedSize(found["items"], found["tasks"], found["labels"] / max(found["tasks"], 1))


def _find_done(study: Path, rows: list[dict[str, Any]], runs: dict[str, RunStatus]) -> None:
    """Mark the runs that the journal holds; those with a prior come after it in the plan."""
    journalled = _names_in(study / in_study("runs"))
    digests = {
        dataset: _CurrentDigests(study / dataset_folder(dataset))
        for dataset in {row["dataset"] for row in rows}
    }
    for row in rows:
        if row["run_id"] not in journalled:
            continue
        run, entry = runs[row["run_id"]], _read_entry(study / in_study("runs") / row["run_id"])
        if entry is None:
            continue
        run.seconds = entry["measured"]["seconds"]
        current = digests[run.dataset].fit(row, entry["digests"])
        prior = runs.get(_prior_in(row["spec"]) or "")
        run.outdated = not current or (prior is not None and prior.state != "done")
        run.state = "pending" if run.outdated else "done"


def _prior_in(spec: str) -> str | None:
    return None if '"prior":null' in spec else json.loads(spec)["prior"]  # most runs have none


def _inputs_in(spec: str) -> tuple[str, ...]:
    return tuple(json.loads(spec).get("inputs", ())) if '"inputs":' in spec else ()  # most rows name none


class _CurrentDigests:
    """The code and the data of now, for the runs of one data set."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._data = lru_cache(None)(self._read)

    def _read(self, split: str, forms: tuple[str, ...]) -> str | None:
        try:
            return data_of_run(self.folder, split, forms)
        except RelataskError:
            return None

    def fit(self, row: dict[str, Any], digests: Digests) -> bool:
        """Whether an entry under `digests` still counts; one whose data set is just being made again may."""
        method, encoder, named = row["method"], row["encoder"], _inputs_in(row["spec"])
        if digests.get("code") != code_of_run(method, encoder, row["balancing"], named):
            return False
        forms = forms_of_run(method, encoder, named)
        return self._data(f"{row['split']}-{row['seed']}", forms) in {digests.get("data"), None}


def _names_in(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return set()


def _read_entry(entry: Path) -> dict[str, Any] | None:
    """The record of a finished run, None where it is damaged or just being replaced."""
    try:
        record = read_record(entry)
    except (RelataskError, OSError):
        return None
    return record if all((entry / name).exists() for name in FILES) else None


def _reason_in(path: Path) -> str:
    try:
        return str(read_json(path)["reason"])
    except (RelataskError, OSError, TypeError, KeyError):
        return "unknown"
