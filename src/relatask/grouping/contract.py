"""What an estimator of gains is asked and what it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from relatask.grouping.gains import GainTable

Answer = Callable[[int], np.ndarray]  # row of a task set -> its validation gains, float64 [N], NaN outside


@dataclass(frozen=True)
class Request:
    """A strategy and what its estimator may read; S task sets over N tasks.

    Attributes:
        label: of the strategy, for messages.
        gains: of the collection; only validation gains of the sets that the estimator trains may be read.
        seed: of its draws.
        options: complete, as the estimator's literal declares them.
        rounds: ascending numbers K, of estimators that ask in rounds.
        selection: "active" or "random".
        relations_as: "none", "features" or "neighbours".
        affinities: float64 [N, N], entry [t, b] is that of b onto t; None where there are none.
        relations: float64 [N, N], scores of the relation graph from 0 to 1; None where there is none.
        answer: trains the set of a row and returns its validation gains; None: `gains` has them.
        held_out: bool [S], sets that no strategy may ask for, because all are judged on them; their
            validation gains are NaN for all but an oracle. None: there are none.
    """

    label: str
    gains: GainTable
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)
    rounds: Sequence[int] = ()
    selection: str = "active"
    relations_as: str = "none"
    affinities: np.ndarray | None = None
    relations: np.ndarray | None = None
    answer: Answer | None = None
    held_out: np.ndarray | None = None


@dataclass(frozen=True)
class Estimate:
    """What an estimator makes of a collection."""

    rounds: int | None  # K, of estimators that ask in rounds
    seed: int
    table: np.ndarray  # float64 [S, N], NaN outside the sets and where nothing is known
    trained: np.ndarray  # bool [S], the sets whose gains it was given
