"""What a shard says of itself while it trains, so that others can tell a running one from a killed one.

`running/{shard}.json` in the study's folder names the run and is written anew every few seconds, also
across machines that share nothing but the folder. A shard that ends, well or not, removes it; one that is
killed leaves it behind.
"""

import json
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from relatask.core.files import write_json
from relatask.core.layout import in_study
from relatask.core.processes import may_live, this_place

BEAT = 20.0  # seconds
ALIVE = 100.0  # two beats, and the minute for which a network file system may show what was


class Heartbeat:
    """Says, until the block ends, which run a shard trains and how far it is.

    Args:
        study: the study's folder of results.
        shard: name of the shard.
    """

    def __init__(self, study: Path, shard: str):
        self.path = study / in_study("running") / f"{shard}.json"
        self.run_id: str | None = None
        self.share = 0.0

    def __enter__(self) -> "Heartbeat":
        self._write()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        with suppress(OSError):  # it was never written, or cannot be removed; then it grows old
            self.path.unlink()

    def begin(self, run_id: str) -> None:
        """Say that a run starts."""
        self.run_id, self.share = run_id, 0.0
        self._write()

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            self._write()

    def _write(self) -> None:
        content = {"run_id": self.run_id, "share": self.share, "place": this_place(), "process": os.getpid()}
        with suppress(OSError):  # a full disk stops the training where it matters, not here
            write_json(self.path, content)


@dataclass(frozen=True)
class LastHeartbeat:
    """What a shard said last."""

    shard: str
    run_id: str | None  # None: none yet
    share: float  # of the run that is done
    running: bool  # else it was killed


def read_heartbeats(study: Path) -> list[LastHeartbeat]:
    """Return what the shards of a study said, by name; those that ended are silent."""
    found = []
    for path in sorted((study / in_study("running")).glob("[!.]*.json")):
        try:
            age, content = time.time() - path.stat().st_mtime, json.loads(path.read_text(encoding="utf-8"))
            elsewhere = content["place"] != this_place()  # there only its beat tells
            running = abs(age) < ALIVE and (elsewhere or may_live(content["process"]))
            found.append(LastHeartbeat(path.stem, content["run_id"], float(content["share"]), running))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # it ended between the listing and the reading, or is no heartbeat
    return found
