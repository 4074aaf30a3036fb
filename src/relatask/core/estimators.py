"""Estimators of gains, found in the folder grouping/estimators by what their files say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from relatask.core.records import Options, records


@dataclass(frozen=True, kw_only=True)
class EstimatorRecord(Options):
    """What an estimator's literal ``ESTIMATOR`` says; each field but the first two is a key of it."""

    name: str  # the file's name
    file: str  # from the package's folder
    summary: str  # one line for the page of keys
    keys: tuple[str, ...] = ()  # keys of a strategy that it reads, of rounds, selection and relations
    reads: tuple[str, ...] = ()  # tables of pairs of tasks that it always needs, of affinities and relations
    draws: bool = False  # there is an estimate for each of grouping.seeds
    asks: bool = False  # it may ask for the task sets that are trained
    estimates: bool = True  # False: it chooses groups without estimates of gains, by a function `choose`
    predicts: bool = True  # its estimates are on the scale of gains, so their errors say something
    oracle: bool = False  # it knows what no strategy can know, so it is no rival of the others
    encodes: bool = False  # it has encodings of task sets, by a function `snapshots`


def estimators() -> Mapping[str, EstimatorRecord]:
    """Return name -> record of every estimator, by name."""
    return records("grouping/estimators", "ESTIMATOR", EstimatorRecord)


def those(chosen: Callable[[EstimatorRecord], Any]) -> str:
    """Return the names of the estimators that are chosen, for messages: "mtg_net or mine"."""
    return " or ".join(name for name, record in estimators().items() if chosen(record))
