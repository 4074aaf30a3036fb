"""What a killed run needs to go on to the same bytes."""

import io
import logging
import os
import time
from pathlib import Path
from typing import Any

import torch

from relatask.files import write_bytes

SECONDS = float(os.environ.get("RELATASK_CHECKPOINT_SECONDS", "30"))  # tests set it to 0
log = logging.getLogger(__name__)


class Checkpoint:
    """One file per unfinished run: the results of its finished units and the state of the one in flight.

    A unit is what is trained at a time: a task of a per-task method, else the whole run. All random draws
    of an epoch come from seeds of that epoch, so no generator's state is kept. A file counts only for the
    code and data that wrote it.
    """

    def __init__(self, path: Path, stamp: str):
        self.path, self.stamp = path, stamp
        self._saved = time.monotonic()
        content = self._read()
        self.finished: list[dict[str, Any]] = content["finished"]
        self.in_flight: dict[str, Any] | None = content["in_flight"]

    def _read(self) -> dict[str, Any]:
        empty: dict[str, Any] = {"finished": [], "in_flight": None}
        if not self.path.exists():
            return empty
        try:
            content = torch.load(self.path, weights_only=True)
            stamp = content["stamp"]
        except Exception as error:  # torch raises many kinds for a broken file; each means: start over
            log.warning("%s cannot be read (%s); the run starts over.", self.path, type(error).__name__)
            return empty
        if stamp != self.stamp:
            log.info("%s was written by other code or data; the run starts over.", self.path)
            return empty
        return content

    def due(self) -> bool:
        """Whether the last save is long enough ago."""
        return time.monotonic() - self._saved >= SECONDS

    def save(self, in_flight: dict[str, Any] | None) -> None:
        """Write the state of the unit in flight beside the results of the finished ones."""
        self.in_flight = in_flight
        content = {"stamp": self.stamp, "finished": self.finished, "in_flight": in_flight}
        write_bytes(self.path, tensor_bytes(content))
        self._saved = time.monotonic()

    def finish(self, unit: dict[str, Any]) -> None:
        """Keep the result of a unit; the next one starts afresh."""
        self.finished.append(unit)
        self.in_flight = None
        if self.due():
            self.save(None)

    def delete(self) -> None:
        """Remove the file once the run is journalled."""
        self.path.unlink(missing_ok=True)


def tensor_bytes(value: Any) -> bytes:
    """`value` as torch saves it, with the same bytes for the same value wherever it is written."""
    buffer = io.BytesIO()  # a path would put its own name into the archive
    torch.save(value, buffer)
    return buffer.getvalue()
