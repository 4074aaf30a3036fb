"""The journal: a folder per finished run that appears whole, by a rename.

It is no declared output of any rule, so it survives a failed job, another number of shards and another
machine. An entry counts while its spec, code and data are still the same.
"""

import fcntl
import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from relatask.core.atomic import is_abandoned, temporary_beside
from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of, write_bytes, write_json
from relatask.core.layout import in_study
from relatask.core.registry import capabilities
from relatask.core.tables import saved_columns, write_table
from relatask.journal.digests import Digests
from relatask.journal.finished import Finished
from relatask.journal.journal_entry import damaged_file, is_of_run, read_record, saved_file
from relatask.plan.spec import RunSpec

MODEL = "model"  # folder of a run's model in its entry
log = logging.getLogger(__name__)


class Journal:
    """The finished and failed runs of one study, below `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.runs = folder / in_study("runs")
        self.failures = folder / in_study("failed")

    def holds(self, spec: RunSpec, digests: Digests) -> bool:
        """Whether the run is finished under the same digests; if it is under others, the log says so."""
        if not (self.runs / spec.run_id).exists():
            return False
        if (known := self._digests(spec)) == digests:
            return True
        other = [key for key in digests if known is not None and known.get(key) != digests[key]]
        reason = f"its {' and '.join(other)} changed" if other else "its entry in the journal is damaged"
        log.info("run %s (%s seed %d) is trained again: %s", spec.run_id, spec.label, spec.seed, reason)
        return False

    def _digests(self, spec: RunSpec) -> Digests | None:
        """The digests of the run's entry, None if it is absent, damaged, or another run's."""
        entry = self.runs / spec.run_id
        if damaged_file(entry):
            return None
        record = read_record(entry)
        return record["digests"] if is_of_run(record, spec.run_id) else None

    def enter(self, spec: RunSpec, digests: Digests, result: Finished, measured: dict[str, Any]) -> None:
        """Add a finished run; one of other code or data makes room for it.

        Of two processes that finish the same run, the first one's entry stays: the numbers are the same.

        Args:
            spec: the run.
            digests: of its "code" and its "data".
            result: what it left behind.
            measured: seconds, memory and machine: whatever differs from time to time.
        """
        temporary = temporary_beside(self.runs / spec.run_id)
        temporary.mkdir(parents=True)
        try:
            for name, table in result.tables.items():
                write_table(name, table, temporary / f"{name}.parquet")
            for name, table in result.saved.items():
                columns = saved_columns(capabilities("methods", spec.method.name).saves[name])
                write_table(name, table, temporary / saved_file(name), columns)
            for name, content in result.files.items():
                write_bytes(temporary / name, content)
            written = sorted(path for path in temporary.rglob("*") if path.is_file())
            files = {path.relative_to(temporary).as_posix(): sha256_of(path) for path in written}
            record = {"spec": spec.as_dict(), "digests": digests, "measured": measured, "files": files}
            write_json(temporary / "run.json", record)
            with self._alone():
                self._replace(temporary, spec, digests)
                self._clear(spec)
        except OSError:
            if self._digests(spec) != digests:  # else another process was first
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(_replaced_by(temporary), ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from the entries until the block, or this process, ends.

        Where the file system has no locks, or each machine its own, two processes may replace the same entry
        at once. Each has a folder of its own, so the harm is at most a run that is trained again.
        """
        with ExitStack() as stack:
            with suppress(OSError):
                fcntl.flock(stack.enter_context((self.folder / ".journal.lock").open("w")), fcntl.LOCK_EX)
            yield

    def _replace(self, temporary: Path, spec: RunSpec, digests: Digests) -> None:
        """Put a written entry in its place, unless the same one is there."""
        if self._digests(spec) == digests:
            return
        entry = self.runs / spec.run_id
        with suppress(FileNotFoundError):
            entry.rename(_replaced_by(temporary))
        temporary.rename(entry)

    def _clear(self, spec: RunSpec) -> None:
        """Remove the note of the run's failure, and what processes that were killed left of it."""
        now = self.runs.stat().st_mtime
        for leftover in self.runs.glob(f".{spec.run_id}.*"):
            with suppress(FileNotFoundError):  # its process removed it meanwhile
                if is_abandoned(leftover, now):
                    shutil.rmtree(leftover, ignore_errors=True)
        (self.failures / f"{spec.run_id}.json").unlink(missing_ok=True)

    def fail(self, spec: RunSpec, reason: str) -> None:
        """Note why a run failed; it is tried again by the next shard that holds it."""
        write_json(self.failures / f"{spec.run_id}.json", {"spec": spec.as_dict(), "reason": reason})

    def predictions_path(self, spec: RunSpec) -> Path:
        """Where a finished run's predictions are."""
        return self.runs / spec.run_id / "predictions.parquet"

    def model(self, run_id: str) -> Path:
        """Return the folder of a finished run's model.

        Raises:
            RelataskError: the run is not finished, its model was not kept, or a file of it is damaged.
        """
        entry = self.runs / run_id
        folder = entry / MODEL
        if not folder.is_dir():
            shards = self.folder / "shards"
            raise RelataskError(
                f"{folder} does not exist, and what comes next reads it; set keep_models: all in "
                f"config.yaml, delete {entry} and {shards}/*.done.json, and run again: only run {run_id} "
                "is trained anew."
            )
        if damaged := damaged_file(entry):
            raise RelataskError(f"{damaged} is damaged; delete {entry} and run again.")
        return folder

    def checkpoint_path(self, spec: RunSpec, side_by_side: bool = False) -> Path:
        """Where an unfinished run keeps its state, or a pass of several runs of which it is the first."""
        ending = ".side_by_side.pt" if side_by_side else ".pt"
        return self.folder / in_study("checkpoints") / f"{spec.run_id}{ending}"


def _replaced_by(temporary: Path) -> Path:
    """Where the entry is put whose place the written one takes."""
    return temporary.with_name(f"{temporary.name}.old")
