"""Progress that a person can follow in a terminal and in a log: a line every few seconds."""

import logging
import time

SECONDS = 5.0
log = logging.getLogger(__name__)


class ProgressLine:
    """Says which run of how many is at which epoch, and how long the rest may take.

    The rest is predicted as if all runs took as long as those trained so far in this process.
    """

    def __init__(self, name: str, total: int):
        self.name, self.total, self.number, self.skipped, self.trained = name, total, 0, 0, 0
        self.title = ""
        self.resumed_at: float | None = None  # share of the run that an earlier process had trained
        self.start = self.last = time.monotonic()

    def skip(self) -> None:
        """Count a run that the journal holds."""
        self.skipped += 1

    def begin(self, number: int, title: str) -> None:
        """Start run `number` (from 0)."""
        self.trained = number - self.skipped
        self.number, self.title, self.resumed_at = number, title, None

    def update(self, share: float, text: str) -> None:
        """Say where the run is, of which `share` is done, at most every few seconds."""
        if self.resumed_at is None:
            self.resumed_at = share
        now = time.monotonic()
        if now - self.last < SECONDS:
            return
        self.last = now
        done, left = self.trained + share - self.resumed_at, self.total - self.number - share
        rest = f" · {span((now - self.start) / done * left)} left" if done > 0 else ""
        log.info("%s · run %d/%d · %s · %s%s", self.name, self.number + 1, self.total, self.title, text, rest)

    def end(self, failed: int) -> None:
        """Say what was done in all."""
        trained = self.total - self.skipped - failed
        known = f", {self.skipped} were in the journal" if self.skipped else ""
        lost = f", {failed} failed" if failed else ""
        took = span(time.monotonic() - self.start)
        log.info("%s · %d of %d runs trained in %s%s%s", self.name, trained, self.total, took, known, lost)


def span(seconds: float) -> str:
    """A duration for people, e.g. ``1 min 20 s``."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
