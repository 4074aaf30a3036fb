"""Progress that a person can follow in a terminal and in a log: a line every few seconds."""

import logging
import time

SECONDS = 5.0
log = logging.getLogger(__name__)


class ProgressLine:
    """Says which run of how many is at which epoch, and how long the rest may take."""

    def __init__(self, name: str, total: int):
        self.name, self.total = name, total
        self.skipped = self.number = self.done = 0
        self.title = ""
        self.start = self.last = time.monotonic()

    def skip(self) -> None:
        """Count a run that the journal holds."""
        self.skipped += 1

    def begin(self, number: int, title: str) -> None:
        """Start run `number` (from 0)."""
        self.done = number - self.skipped
        self.number, self.title = number, title

    def update(self, text: str) -> None:
        """Say where the run is, at most every few seconds."""
        now = time.monotonic()
        if now - self.last < SECONDS:
            return
        self.last = now
        left = ""
        if self.done:
            remaining = (now - self.start) / self.done * (self.total - self.skipped - self.done)
            left = f" · about {_span(remaining)} left"
        log.info("%s · run %d/%d · %s · %s%s", self.name, self.number + 1, self.total, self.title, text, left)

    def end(self) -> None:
        """Say what was done in all."""
        trained = self.total - self.skipped
        known = f", {self.skipped} were in the journal" if self.skipped else ""
        log.info(
            "%s · %d runs trained in %s%s", self.name, trained, _span(time.monotonic() - self.start), known
        )


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
