"""The journal: a folder per finished run that appears whole, by a rename.

It is no declared output of any rule, so it survives a failed job, another number of shards and another
machine. An entry counts while its spec, code and data are still the same.
"""

import shutil
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relatask.artifacts import write_table
from relatask.errors import RelataskError
from relatask.files import read_json, write_bytes, write_json
from relatask.training.checkpoint import tensor_bytes
from relatask.training.run import RunResult
from relatask.training.spec import RunSpec


class Journal:
    """The finished and failed runs of one study, below `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.runs = folder / "runs"
        self.failures = folder / "failed"

    def holds(self, spec: RunSpec, stamp: dict[str, str]) -> bool:
        """Whether the run is finished under the same digests of code and data.

        Args:
            spec: the run.
            stamp: digests, "code" and "data".
        """
        path = self.runs / spec.run_id / "run.json"
        if not path.exists():
            return False
        try:
            entry = read_json(path)
        except RelataskError:
            return False  # broken on disk: train again
        return entry.get("stamp") == stamp

    def enter(
        self, spec: RunSpec, stamp: dict[str, str], result: RunResult, measured: dict[str, Any], keep: bool
    ) -> None:
        """Add a finished run; one of other code or data makes room for it.

        Args:
            spec: the run.
            stamp: digests, "code" and "data".
            result: what it left behind.
            measured: seconds, memory and machine: whatever differs from time to time.
            keep: whether to store the weights.
        """
        entry = self.runs / spec.run_id
        temporary = self.runs / f".{spec.run_id}.{uuid.uuid4().hex}"
        temporary.mkdir(parents=True)
        try:
            write_table("predictions", result.predictions, temporary / "predictions.parquet")
            write_table("history", result.history, temporary / "history.parquet")
            if keep and result.weights is not None:
                write_bytes(temporary / "model.pt", tensor_bytes(result.weights))
            write_json(temporary / "run.json", {"spec": asdict(spec), "stamp": stamp, "measured": measured})
            if entry.exists():
                shutil.rmtree(entry)
            temporary.rename(entry)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        (self.failures / f"{spec.run_id}.json").unlink(missing_ok=True)

    def fail(self, spec: RunSpec, reason: str) -> None:
        """Note why a run failed; it is tried again by the next shard that holds it."""
        write_json(self.failures / f"{spec.run_id}.json", {"spec": asdict(spec), "reason": reason})

    def checkpoint_path(self, spec: RunSpec) -> Path:
        """Where an unfinished run keeps its state."""
        return self.folder / "checkpoints" / f"{spec.run_id}.pt"
