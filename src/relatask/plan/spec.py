"""A run: one training of one method on one split with one seed, frozen and named by its content."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from relatask.core.files import canonical_json

# Fields that came later: at these values they are no part of a run's name, so that older runs keep theirs.
DEFAULTS: dict[str, Any] = {
    "prior": None,
    "graph": "true",
    "balancing_options": {},
    "groups": None,
    "ensemble": 1,
    "member": 0,
    "episodes": None,
}
Tasks = str | dict[str, int] | tuple[str, ...]  # "all", {"part": i, "of": n}, or task ids


@dataclass(frozen=True)
class RunSpec:
    """Everything that decides a run's result, given data and code."""

    dataset: str
    method: str
    encoder: str | None
    balancing: str
    split: str  # scheme; the file is splits/{split}-{seed}.parquet
    seed: int  # drives the split, the initialisation and the order of batches
    tasks: Tasks = "all"
    label: str = ""  # row of the tables
    graph: str = "true"  # "shuffled": the control with the degrees of the true relation graph
    prior: str | None = None  # run_id of the run whose predictions this one starts from
    groups: dict[str, Any] | None = None  # which chosen groups its tasks are learned in, see composed.py
    ensemble: int = 1  # number of members whose probabilities are averaged
    member: int = 0  # of an ensemble: another initialisation, order of batches and dropout
    episodes: dict[str, int] | None = None  # of images with one class each: config.EpisodesConfig
    options: dict[str, Any] = field(default_factory=dict)
    balancing_options: dict[str, Any] = field(default_factory=dict)
    encoder_options: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)

    def canonical(self) -> str:
        """The spec as canonical JSON. The label is left out: renaming a row must not retrain it."""
        values = dict(vars(self))  # not asdict: its deep copies cost a second for 10,000 runs
        del values["label"]
        for name, default in DEFAULTS.items():
            if values[name] == default:
                del values[name]
        return canonical_json(values)

    @property
    def run_id(self) -> str:
        """Twelve hex digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:12]

    def random_seed(self, *names: str | int) -> int:
        """A 63-bit seed for one purpose, e.g. ``spec.random_seed("epoch", 3)``.

        Task set, prior, graph, balancing, groups, ensemble and episodes do not enter: runs that differ only
        in them start from the same draws, which pairs them, and cutting independent tasks into parts changes
        nothing. Of few-shot learning, nor do the method's options: with and without layers over its episodes,
        an encoder starts from the same weights.
        """
        values = json.loads(self.canonical())
        for name in {"tasks", *DEFAULTS} - {"member"}:
            values.pop(name, None)
        if self.episodes is not None:
            del values["options"]
        values["balancing"] = "equal"  # a constant that older runs were seeded with
        text = canonical_json([values, *names])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1

    def data_seed(self, *names: str | int) -> int:
        """A 63-bit seed of what belongs to data, split and seed alone, the same for every method on them."""
        text = canonical_json([self.dataset, self.split, self.seed, *names])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1

    def select(self, task_ids: list[str]) -> list[str]:
        """The tasks of this run, in the data set's order, given all of the data set's."""
        if self.tasks == "all":
            return task_ids
        if isinstance(self.tasks, dict):
            return task_ids[self.tasks["part"] :: self.tasks["of"]]
        wanted = set(self.tasks)
        return [task for task in task_ids if task in wanted]

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "RunSpec":
        """Rebuild a spec from `asdict` or canonical JSON."""
        tasks = values.get("tasks", "all")
        return cls(**{**values, "tasks": tuple(tasks) if isinstance(tasks, list) else tasks})
