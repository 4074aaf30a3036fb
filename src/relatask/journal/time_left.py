"""What finished runs took beside what was predicted, and from that the time left."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from relatask.journal.status import RunStatus, StudyStatus


class Measured:
    """Measured time over predicted time of finished runs; runs of a method on a data set share one factor.

    `by_study`: as the study predicts it, whose cost factors are sought; else by the prepared size.
    """

    def __init__(self, runs: Iterable[RunStatus], by_study: bool = False):
        self.seconds: dict[tuple[str, ...], float] = defaultdict(float)
        self.predicted: dict[tuple[str, ...], float] = defaultdict(float)
        self.n_runs: dict[tuple[str, ...], int] = defaultdict(int)
        for run in runs:
            if run.seconds is not None:
                for key in _keys(run):
                    self.seconds[key] += run.seconds
                    self.predicted[key] += run.predicted if by_study else run.expected
                    self.n_runs[key] += 1
        self.factors = {key: taken / self.predicted[key] for key, taken in self.seconds.items()}

    def factor(self, run: RunStatus) -> float:
        """That of the run's method on its data set, else on all, else of all runs, else 1."""
        return next((self.factors[key] for key in _keys(run) if key in self.factors), 1.0)


def _keys(run: RunStatus) -> tuple[tuple[str, ...], ...]:
    return (run.dataset, run.label), (run.label,), ()


@dataclass(frozen=True)
class TimeLeft:
    """What is left to train: trials, pending runs and the rest of running ones; failed ones do not count."""

    work: float  # seconds on one core
    wall: float | None  # seconds with the processes that run now; None where none does
    measured: bool  # else as predicted, because no run has finished


def time_left(status: StudyStatus) -> TimeLeft:
    """Estimate the time left from the predictions, corrected by what finished runs took.

    The runs of a shard follow each other, so the longest shard is a bound however many processes run.
    """
    measured = Measured(status.runs)
    work: dict[int, float] = defaultdict(float)
    for run in status.runs:
        if run.state in {"running", "pending"}:
            work[run.shard] += run.expected * measured.factor(run) * (1 - run.share)
    for place, search in enumerate(status.searches):
        work[-1 - place] = search.left  # its trials follow each other
    total, processes = sum(work.values()), len(status.running)
    wall = max(total / processes, *work.values()) if processes and work else None
    return TimeLeft(total, wall, bool(measured.factors))
