"""Records of what made the files below results/, one for each job, beside them in results/.made/.

They are part of the results: whoever copies, moves or links the folder takes them along, and what no record
explains is made again.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.freshness.decision import MISSING, Making, reasons_to_make
from relatask.freshness.file_state import FileState, state_of

FOLDER = ".made"
VERSION = 1


@dataclass(frozen=True)
class Files:
    """Files of a job by the names under which they are compared, each with one or several paths."""

    inputs: Mapping[str, Sequence[str]]
    outputs: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Record:
    """Options of a job, and the states of its files when it ended."""

    options: Mapping[str, str]
    inputs: Mapping[str, FileState]
    outputs: Mapping[str, FileState]

    @property
    def making(self) -> Making:
        """What the decision compares."""
        return Making(self.options, _digests(self.inputs), _digests(self.outputs))

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON holds it."""
        return {
            "version": VERSION,
            "options": dict(self.options),
            "inputs": {name: [state.digest, state.seal] for name, state in self.inputs.items()},
            "outputs": {name: [state.digest, state.seal] for name, state in self.outputs.items()},
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Record":
        """Return the record that JSON holds; raises KeyError, TypeError or ValueError if it is none."""
        if value["version"] != VERSION:
            raise ValueError("made by another version")
        states = [
            {str(name): FileState(str(digest), str(seal)) for name, (digest, seal) in value[key].items()}
            for key in ("inputs", "outputs")
        ]
        return cls({str(key): str(text) for key, text in value["options"].items()}, *states)


def states_of(files: Mapping[str, Sequence[str]], known: Mapping[str, FileState]) -> dict[str, FileState]:
    """Return the state of each file as it is now; those that are known save reading what nobody touched."""
    return {name: state_of(paths, known.get(name)) for name, paths in files.items()}


class Ledger:
    """The records below `results`."""

    def __init__(self, results: Path):
        self.results = results
        self.folder = results / FOLDER

    def read(self, output: str) -> Record | None:
        """Return the record of the job whose first output this is; None if it is absent or broken."""
        path = self._path(output)
        if not path.is_file():  # also what is no file: opening a pipe would wait for ever
            return None
        try:
            return Record.from_dict(read_json(path))
        except (RelataskError, KeyError, TypeError, ValueError, AttributeError, OSError):
            return None

    def write(self, output: str, record: Record) -> None:
        """Put a record in its place."""
        self.forget(output)
        write_json(self._path(output), record.as_dict())

    def forget(self, output: str) -> None:
        """Remove a record: until there is a new one, what the job left is to be made again."""
        path = self._path(output)
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)

    def _path(self, output: str) -> Path:
        inside = Path(output)
        with suppress(ValueError):
            inside = inside.relative_to(self.results)
        return self.folder / f"{inside}.json"


def check(
    record: Record | None, options: Mapping[str, str], files: Files, retrieved: bool = False
) -> tuple[list[str], Record | None]:
    """Return why a job must run, and its record as it is read fastest next time.

    Args:
        record: of what made its outputs, None if there is none.
        options: digests of its command and parameters now.
        files: what it reads and writes now.
        retrieved: whether its outputs may be deleted once they were read.
    """
    if record is None:
        return reasons_to_make(None, Making(options, {}, {}), retrieved), None
    inputs = states_of(files.inputs, record.inputs)
    outputs = states_of(files.outputs, record.outputs)
    reasons = reasons_to_make(record.making, Record(options, inputs, outputs).making, retrieved)
    touched = Record(options, {**record.inputs, **_present(inputs)}, {**record.outputs, **_present(outputs)})
    return reasons, touched


def _present(states: Mapping[str, FileState]) -> dict[str, FileState]:
    return {name: state for name, state in states.items() if state.digest != MISSING}


def _digests(states: Mapping[str, FileState]) -> dict[str, str]:
    return {name: state.digest for name, state in states.items()}
