"""A workflow of five jobs as dictionaries of files, records and options, for histories by the thousand."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from relatask.freshness.decision import MISSING, Making, reasons_to_make


@dataclass(frozen=True)
class ModelJob:
    """A job: what it reads and writes, and the options that it depends on."""

    name: str
    options: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    retrieved: bool = False


JOBS = (
    ModelJob("retrieve", ("address",), (), ("raw",), retrieved=True),
    ModelJob("prepare", ("threshold",), ("raw", "sheet"), ("labels", "items")),
    ModelJob("split", ("fractions",), ("items",), ("split",)),
    ModelJob("train", ("trees",), ("labels", "split"), ("scores",)),
    ModelJob("write", ("title",), ("scores",), ("table", "page")),
)
OPTIONS = tuple(option for job in JOBS for option in job.options)
MADE = tuple(file for job in JOBS for file in job.outputs)


def digest(*parts: object) -> str:
    """Digest of values."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


@dataclass
class Folder:
    """Results, records of what made them, and the user's own file and options."""

    files: dict[str, str] = field(default_factory=lambda: {"sheet": "0"})
    records: dict[str, Making] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=lambda: dict.fromkeys(OPTIONS, "0"))

    def now(self, job: ModelJob) -> Making:
        """What would make a job's outputs now."""
        return Making(
            {name: digest(self.options[name]) for name in job.options},
            {name: self._digest(name) for name in job.inputs},
            {name: self._digest(name) for name in job.outputs},
        )

    def _digest(self, name: str) -> str:
        return digest(self.files[name]) if name in self.files else MISSING

    def content(self, job: ModelJob, output: str) -> str:
        """What a job writes."""
        read = [self.files[name] for name in job.inputs]
        return digest(output, read, [self.options[name] for name in job.options])

    def run(self, killed_at: int | None = None) -> list[str]:
        """Make what is not current, as Snakemake does: names of the jobs that ran.

        Args:
            killed_at: moment of a kill, counted in files that were written and records that were put down.
        """
        planned = self.planned()
        ran = []
        for moment, job in enumerate(self._moments(planned)):
            if moment == killed_at:
                return ran
            if job is not None:
                ran.append(job)
        return ran

    def planned(self) -> list[ModelJob]:
        """Jobs with a reason of their own, those below them, and those whose outputs these must read."""
        wanted: list[ModelJob] = []
        for job in JOBS:
            above = any(set(other.outputs) & set(job.inputs) for other in wanted)
            if above or reasons_to_make(self.records.get(job.name), self.now(job), job.retrieved):
                wanted.append(job)
        for job in reversed(JOBS):
            read = {name for other in wanted for name in other.inputs}
            if job not in wanted and any(name in read and name not in self.files for name in job.outputs):
                wanted.append(job)
        return self._below(wanted)

    def _below(self, wanted: list[ModelJob]) -> list[ModelJob]:
        names = {job.name for job in wanted}
        written = {name for job in wanted for name in job.outputs}
        for job in JOBS:
            if written & set(job.inputs):
                names.add(job.name)
                written |= set(job.outputs)
        return [job for job in JOBS if job.name in names]

    def _moments(self, jobs: list[ModelJob]) -> Iterator[str | None]:
        for job in jobs:
            self.records.pop(job.name, None)
            for output in job.outputs:
                self.files.pop(output, None)
            begun = self.now(job)
            yield None
            for output in job.outputs:
                self.files[output] = self.content(job, output)
                yield None
            self.records[job.name] = Making(begun.options, begun.inputs, self.now(job).outputs)
            yield job.name
