"""What Snakemake asks before it runs a job and says after it: our records in the place of its own.

Snakemake compares dates and keeps what it knows of options in .snakemake, beside the place where it was
started. A file that is replaced by an older one, a copy of the results, a second folder with the same results
or a lost .snakemake then pass for current. Its persistence object answers all these questions, so `install`
puts subclasses in its place that answer from `freshness.ledger`.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import snakemake.workflow
from snakemake.exceptions import WorkflowError
from snakemake.io import get_flag_value, is_flagged
from snakemake.logging import logger
from snakemake.persistence import UNREPRESENTABLE, ParamsChange
from snakemake.persistence.db import DbPersistence
from snakemake.persistence.file import FilePersistence

from relatask.freshness.decision import MISSING
from relatask.freshness.file_state import FileState, settled, state_of
from relatask.freshness.ledger import Files, Ledger, Record, check, states_of
from relatask.freshness.locks import LOCKS, Locks

CODE = "the code of the package"


@dataclass(frozen=True)
class Rules:
    """What the rules know and Snakemake does not.

    Attributes:
        root: folder of the project; files in it are named from there, wherever it lies.
        package: folder of the code that steps import.
        retrieved: rules whose outputs may be deleted once they were read.
        besides: files that a job writes and does not declare, by the names under which they are compared.
        undisturbed: whether the study on disk is still the one of this process.
        put_right: what is done first where jobs run, before Snakemake compares dates.
        begin: what is done where jobs run, as soon as nobody else may write the study's files.
    """

    root: Path
    package: Path
    retrieved: frozenset[str] = frozenset()
    besides: Callable[[Any], Mapping[str, Sequence[str]]] = lambda job: {}
    undisturbed: Callable[[], bool] = lambda: True
    put_right: Callable[[], None] = lambda: None
    begin: Callable[[], None] = lambda: None


@dataclass
class Stale(ParamsChange):
    """Reasons to run a job, in the form in which Snakemake takes changes of parameters."""

    reasons: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is a reason."""
        return bool(self.reasons)

    def __str__(self) -> str:
        """What Snakemake prints as the reason of the job."""
        return "; ".join(self.reasons)


class WithoutDates:
    """A persistence object that keeps Snakemake from refusing an output for an input dated in the future."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.dag.check_output_mtime = _no_dates  # type: ignore[attr-defined]


class Recording(WithoutDates):
    """The part of a persistence object that decides what is current, and who may write it."""

    rules: Rules
    results = Path("results")

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.ledger = Ledger(self.results)
        self.locks = Locks(self.ledger.folder / LOCKS)
        self._begun: dict[Any, Record] = {}
        if self._runs():
            self._code_at_start = self._code_state(None)
            self.rules.put_right()

    # What Snakemake asks, job by job, once the graph of jobs is complete.

    def has_metadata(self, job: Any) -> bool:
        """Whether `params_changed` is to be asked: always."""
        return True

    def has_outdated_metadata(self, job: Any) -> bool:
        """Whether the records are too old to be compared: never."""
        return False

    def input_changed(self, job: Any, file: Any = None) -> Any:
        """Whether the names of inputs changed: `params_changed` says so."""
        return [] if file is None else False

    def code_changed(self, job: Any, file: Any = None) -> Any:
        """Whether the command changed: `params_changed` says so."""
        return [] if file is None else False

    async def incomplete(self, job: Any) -> list[Any]:
        """Outputs of a job that was killed: without a record it runs again, so nobody need be asked."""
        return []

    def params_changed(self, job: Any, file: Any = None) -> Stale:
        """Why a job must run: what is on record is not what would be made now."""
        reasons = self._reasons(job)
        return Stale(files=set(job.output) if reasons else set(), reasons=reasons)

    def input_checksums(self, job: Any, input_path: Any) -> set[Any]:
        """What a file with a newer date was when the job read it."""
        record = self.ledger.read(str(job.output[0])) if job.output else None
        state = record.inputs.get(self._name(input_path)) if record else None
        return {f"sha256:{state.digest}" if state else None}

    # What Snakemake says when it runs a job.

    def started(self, job: Any, external_jobid: str | None = None) -> None:
        """Note what the job is made from; until it has ended, nothing is on record."""
        super().started(job, external_jobid)  # type: ignore[misc]
        if job.output and self._runs():
            with _told():
                self.ledger.forget(str(job.output[0]))
            inputs = states_of(self._files(job).inputs, {})
            inputs[CODE] = self._code_state(self._code_at_start)
            self._begun[job] = Record(self._options(job), inputs, {})

    async def finished(self, job: Any) -> None:
        """Put on record what made the outputs, if they are all there and nothing changed meanwhile."""
        await super().finished(job)  # type: ignore[misc]
        if (begun := self._begun.pop(job, None)) is None:
            return
        files = self._files(job)
        outputs = states_of(files.outputs, {})
        if any(state.digest == MISSING for state in outputs.values()):
            return
        inputs = states_of(files.inputs, begun.inputs)
        if changed := self._changed(begun, inputs):
            again = f"rule {job.rule.name} runs again at the next start"
            logger.warning(f"{changed} changed while the workflow ran; {again}.")
            return
        record = Record(begun.options, self._settled(files, inputs), outputs)
        with _told():
            self.ledger.write(str(job.output[0]), record)

    def _changed(self, begun: Record, inputs: Mapping[str, FileState]) -> str | None:
        """Name something that a job may have read in another state than the records would say."""
        for name, state in inputs.items():
            before = begun.inputs[name]
            # A user's file may have been replaced for a while and put back, which its seal tells. Of what the
            # workflow has just written a file server may still round the time.
            if state.digest != before.digest or (state != before and not self._is_result(name)):
                return name
        code = begun.inputs[CODE]
        if code.digest != self._code_at_start.digest or self._code_state(code) != code:
            return CODE
        return None if self.rules.undisturbed() else "the study"

    def _code_state(self, known: FileState | None) -> FileState:
        return state_of([str(path) for path in sorted(self.rules.package.rglob("*.py"))], known)

    # How workflows keep out of each other's way.

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep others from the files of this workflow; whoever holds one of them is named."""
        with _told(), self.locks.entrance():
            self.locks.add("input", map(str, self.all_inputfiles()))  # type: ignore[attr-defined]
            self.locks.add("output", map(str, self.all_outputfiles()))  # type: ignore[attr-defined]
            owner = self._owner()
        try:
            if owner:
                raise WorkflowError(
                    f"{self.results.absolute()} is in use by {owner}; wait for it or, if it has ended, run "
                    "snakemake --unlock once."
                )
            if self._runs():
                self.rules.begin()
            yield
        finally:
            self.locks.release()

    @contextmanager
    def lock_warn_only(self) -> Iterator[None]:
        """Say who holds the files, for a dry-run."""
        if owner := self._owner():
            logger.info(f"{self.results.absolute()} is in use by {owner}.")
        yield

    def cleanup_locks(self) -> None:
        """Remove all locks, as --unlock asks."""
        super().cleanup_locks()  # type: ignore[misc]
        self.locks.clear()

    def _owner(self) -> str | None:
        """Name of a process that writes what this workflow reads or writes, or reads what it writes."""
        if not (others := list(self.locks.of_others())):
            return None
        outputs = set(map(str, self.all_outputfiles()))  # type: ignore[attr-defined]
        touched = outputs | set(map(str, self.all_inputfiles()))  # type: ignore[attr-defined]
        for owner, kind, file in others:
            if file in (touched if kind == "output" else outputs):
                return owner.text
        return None

    # Names, options and states.

    def _reasons(self, job: Any) -> list[str]:
        if not job.output:
            return []
        first = str(job.output[0])
        record = self.ledger.read(first)
        retrieved = job.rule.name in self.rules.retrieved
        files = self._files(job)
        reasons, touched = check(record, self._options(job), files, retrieved)
        if touched is not None and not reasons and touched != record and self._runs():
            with suppress(OSError):  # then it takes longer next time
                self.ledger.write(first, replace(touched, inputs=self._settled(files, touched.inputs)))
        return reasons

    def _runs(self) -> bool:
        """Whether jobs run, and not only their reasons are shown."""
        workflow = self.dag.workflow  # type: ignore[attr-defined]
        return workflow.executor_plugin is not None and not (workflow.dryrun or workflow.touch)

    def _options(self, job: Any) -> dict[str, str]:
        """Digests of the command and of what does not follow from names of inputs and outputs."""
        own = set(self._params(job))  # type: ignore[attr-defined]
        texts = {name: self._serialize_param(value) for name, value in job.params.items()}  # type: ignore[attr-defined]
        options = {name: text for name, text in texts.items() if text is not UNREPRESENTABLE and text in own}
        options["command"] = self._code(job.rule) or ""  # type: ignore[attr-defined]
        return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in options.items()}

    def _files(self, job: Any) -> Files:
        outputs = {str(path): [str(path)] for path in job.output}
        return Files(
            {self._name(path): [str(path)] for path in job.input}, {**outputs, **self.rules.besides(job)}
        )

    def _name(self, path: Any) -> str:
        """Name of an input, the same wherever the project lies."""
        text = str(
            get_flag_value(path, "sourcecache_entry") if is_flagged(path, "sourcecache_entry") else path
        )
        root = f"{self.rules.root}/"
        return text.removeprefix(root)

    def _is_result(self, name: str) -> bool:
        return name.startswith(f"{self.results}/")

    def _settled(self, files: Files, inputs: Mapping[str, FileState]) -> dict[str, FileState]:
        """Return the states of inputs; of a user's file, only with a seal that can be relied on."""
        return {
            name: state if self._is_result(name) else settled(files.inputs[name], state)
            for name, state in inputs.items()
        }


async def _no_dates(job: Any, outputs: Any) -> None:
    """Compare nothing: a date says nothing of a content."""


@contextmanager
def _told() -> Iterator[None]:
    """Say in one sentence what may not be written."""
    try:
        yield
    except OSError as error:
        raise WorkflowError(
            f"{error.filename}: {error.strerror}; it holds what made the results, so it must be writable."
        ) from None


def install(rules: Rules | None) -> None:
    """Let Snakemake ask our records; call it while the workflow is parsed.

    Args:
        rules: in the process that a person started; None in those that Snakemake starts for a job of a
            cluster, which decide nothing and keep no records.
    """
    for backend in (FilePersistence, DbPersistence):
        if not hasattr(snakemake.workflow, backend.__name__):
            raise WorkflowError(
                "This version of Snakemake keeps its records in another way; install the one that "
                "requirements.lock names."
            )
        mixin, members = (WithoutDates, {}) if rules is None else (Recording, {"rules": rules})
        setattr(snakemake.workflow, backend.__name__, type(backend.__name__, (mixin, backend), members))
