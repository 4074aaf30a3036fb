"""How far the searches of a study are: trials that are done, and the time that the others will take."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.layout import in_study
from relatask.journal.journal_entry import read_record

Key = tuple[str, str, str, int]  # data set, label, split, seed


@dataclass(frozen=True)
class SearchStatus:
    """The trials of a row on the validation fold of one split and seed.

    `done` counts what the journal holds, also under other code or data, until the search has ended.
    """

    key: Key
    trials: int
    done: int
    left: float  # seconds on one core


def search_status(
    study: Path, rows: Iterable[Mapping[str, Any]], expected: Mapping[str, float]
) -> list[SearchStatus]:
    """Return the status of the searches that the runs of a plan wait for, in its order.

    Args:
        study: the study's folder of results.
        rows: of table "plan", with run_id, label and spec.
        expected: run_id -> seconds that a run is predicted to take.
    """
    trials: dict[Key, int] = {}
    seconds: dict[Key, float] = {}
    for row in rows:
        if '"search":{' not in row["spec"]:
            continue  # of most studies every row
        spec = json.loads(row["spec"])
        key = (spec["dataset"], row["label"], spec["search"]["split"], spec["search"]["seed"])
        trials[key] = spec["search"]["trials"]
        seconds.setdefault(key, expected[row["run_id"]])
    taken = _trained(study, {row["run_id"] for row in rows}) if trials else {}
    found = []
    for key, number in trials.items():
        dataset, label, split, seed = key
        own = taken.get(key, [])
        file = in_study("trials", dataset=dataset, label=label, scheme=split, seed=str(seed))
        done = number if (study / file).exists() else min(len(own), number)
        each = sum(own) / len(own) if own else seconds[key]
        found.append(SearchStatus(key, number, done, each * (number - done)))
    return found


def _trained(study: Path, planned: set[str]) -> dict[Key, list[float]]:
    """Return search -> seconds of each of its trials that the journal holds."""
    found: dict[Key, list[float]] = defaultdict(list)
    runs = study / in_study("runs")
    for entry in runs.iterdir() if runs.is_dir() else ():
        if entry.name in planned or entry.name.startswith("."):
            continue
        try:
            record = read_record(entry)
            spec = record["spec"]
            if spec.get("trial"):
                key = (spec["dataset"], spec["label"], spec["split"], spec["seed"])
                found[key].append(record["measured"]["seconds"])
        except (RelataskError, OSError, KeyError):
            continue  # damaged, or just being replaced
    return found
