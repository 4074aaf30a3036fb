"""What a killed run needs to go on to the same bytes."""

import hashlib
import io
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from relatask.core.code_at_start import require_unchanged
from relatask.core.files import write_bytes

SECONDS = float(os.environ.get("RELATASK_CHECKPOINT_SECONDS", "30"))  # tests set it to 0
_DIGEST = 32  # bytes of SHA-256
LEAST_WORK = 10  # a save may take a tenth of the time that is trained between two
log = logging.getLogger(__name__)


class Checkpoint:
    """One file per unfinished run: the results of its finished problems and the state of the one in flight.

    A problem is what is trained at a time: a task of a per-task method, else the whole run. A file counts
    only for the code, data and libraries that wrote it.

    Args:
        path: the file.
        digests: of code, data and libraries.
        code: files of the package that `digests` describe; a save is refused where one of them changed.
    """

    def __init__(self, path: Path, digests: str, code: Sequence[str] = ()):
        self.path = path
        self.digests = digests
        self.code = code
        self._start = self._saved = time.monotonic()
        self._interval = SECONDS
        content = self._read()
        self.seconds: float = content["seconds"]  # that earlier processes trained for what is kept here
        self.finished: list[dict[str, Any]] = content["finished"]
        self.in_flight: dict[str, Any] | None = content["in_flight"]

    def _read(self) -> dict[str, Any]:
        empty: dict[str, Any] = {"finished": [], "in_flight": None, "seconds": 0.0}
        if not self.path.exists():
            return empty
        try:
            written = self.path.read_bytes()
            if sealed(written[_DIGEST:]) != written:
                raise ValueError("not as it was written")
            content = torch.load(io.BytesIO(written[_DIGEST:]), weights_only=True, map_location="cpu")
            digests = content["digests"]
        except Exception as error:  # torch raises many kinds for a broken file; each means: start over
            log.warning("%s cannot be read (%s); the run starts over.", self.path, error)
            return empty
        if digests != self.digests:
            log.info("%s was written by other code, data or libraries; the run starts over.", self.path)
            return empty
        return content

    def due(self) -> bool:
        """Whether the last save is long enough ago."""
        return time.monotonic() - self._saved >= self._interval

    def save(self, in_flight: dict[str, Any] | None) -> None:
        """Write the state of the problem in flight beside the results of the finished ones."""
        require_unchanged(self.code)
        start = time.monotonic()
        self.in_flight = in_flight
        seconds = self.seconds + start - self._start
        content = {
            "digests": self.digests,
            "finished": self.finished,
            "in_flight": in_flight,
            "seconds": seconds,
        }
        write_bytes(self.path, sealed(tensor_bytes(content)))
        self._saved = time.monotonic()
        self._interval = max(SECONDS, LEAST_WORK * (self._saved - start))

    def finish(self, result: dict[str, Any]) -> None:
        """Keep the result of a problem; the next one starts afresh."""
        self.finished.append(result)
        self.in_flight = None
        if self.due():
            self.save(None)

    def delete(self) -> None:
        """Remove the file once the run is journalled."""
        self.path.unlink(missing_ok=True)


def sealed(state: bytes) -> bytes:
    """`state` behind its own SHA-256: torch does not notice a flipped bit."""
    return hashlib.sha256(state).digest() + state


def tensor_bytes(value: Any) -> bytes:
    """`value` as torch saves it, with the same bytes for equal values wherever they were made."""
    buffer = io.BytesIO()  # a path would put its own name into the archive
    torch.save(_plain(value), buffer)
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    """`value` without what pickling would keep besides its content.

    A state dict carries module versions, a view its whole storage, and a string that occurs twice is
    written once if both are one object: all that differs between a network and its copy from a file.
    """
    if isinstance(value, torch.Tensor):
        return value.detach().clone(memory_format=torch.contiguous_format)
    if isinstance(value, str):
        return sys.intern(str(value))
    if isinstance(value, dict):
        return {_plain(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(entry) for entry in value)
    return value
