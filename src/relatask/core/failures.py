"""Which jobs of Snakemake failed, and the one sentence that the step's log ends with."""

import logging
from collections.abc import Sequence
from pathlib import Path

JOB_FAILED, WORKFLOW_FAILED = "job_error", "error"  # events of Snakemake's log records
ERROR = "error: "  # what a step writes before its sentence
TAIL = 1 << 16  # bytes of a log in which the sentence is looked for


class Failures(logging.Handler):
    """Listens to Snakemake's log, on the logger `snakemake`, and remembers what failed."""

    def __init__(self) -> None:
        super().__init__()
        self._found: list[tuple[str, Sequence[str], str]] = []  # rule, its logs, what Snakemake said

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a failed job, or what stopped the workflow."""
        event = getattr(record, "event", None)
        name = str(getattr(event, "value", event))
        if name == JOB_FAILED:
            logs = [str(path) for path in getattr(record, "log", None) or ()]
            self._found.append((str(getattr(record, "rule_name", "")), logs, ""))
        elif name == WORKFLOW_FAILED:
            self._found.append(("", [], record.getMessage()))

    def sentence(self) -> str:
        """Return the sentence of the first failure that has one, "" where nothing failed."""
        for _, logs, _ in self._found:
            for path in logs:
                if said := error_in(Path(path)):
                    return said
        for rule, logs, message in self._found:
            if message:
                return _own_words(message)
            return f"{rule} ended without a word, as a process that is killed does" + (
                f"; its log is {logs[0]}." if logs else "."
            )
        return ""


def _own_words(message: str) -> str:
    """Return what was raised, of a message to which Snakemake adds a head and lines of a traceback."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("File ", "WorkflowError"))]
    return said[0] if said else lines[0]


def error_in(path: Path) -> str:
    """Return the last sentence of an error in a log, without `error:`, "" where there is none."""
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - TAIL))
            lines = handle.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    found = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
    return found[-1] if found else ""
