"""Gains of task sets: how much better a task does when it is learned with others than alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from relatask.errors import RelataskError
from relatask.grouping.averages import pairs_of_estimate


@dataclass(frozen=True)
class GainTable:
    """Collected gains of S task sets over N tasks.

    A gain is the relative improvement of a task's metric over the same task alone, positive when the set
    helps (MTG-Net, section 3.1). It is NaN for tasks outside the set, and 0 for a task alone.
    """

    tasks: list[str]
    sets: np.ndarray  # bool [S, N], which tasks are in a set; no row twice, none empty
    valid: np.ndarray  # float64 [S, N], on the validation fold: what estimates and choices may see
    test: np.ndarray  # float64 [S, N], on the test fold: what choices are judged by

    def __post_init__(self) -> None:
        if not len(self.sets) or not self.sets.any(1).all():
            raise RelataskError("a table of gains needs task sets, each of one task at least.")
        if len(np.unique(self.sets, axis=0)) != len(self.sets):
            raise RelataskError("a table of gains holds a task set twice; each may stand there once.")

    @property
    def sizes(self) -> np.ndarray:
        """Tasks in each set, int64 [S]."""
        return self.sets.sum(1)

    @cached_property
    def _rows(self) -> dict[bytes, int]:
        return {row.tobytes(): number for number, row in enumerate(self.sets)}

    def row_of(self, tasks: Sequence[int]) -> int:
        """Position of the set of the tasks at positions `tasks`.

        Raises:
            RelataskError: its gains were not collected.
        """
        member = np.zeros(len(self.tasks), bool)
        member[list(tasks)] = True
        if member.tobytes() not in self._rows:
            names = ", ".join(self.tasks[task] for task in sorted(tasks))
            raise RelataskError(f"the gains of the task set {names} were not collected.")
        return self._rows[member.tobytes()]

    def pair_gains(self) -> np.ndarray:
        """Validation gains of pairs, float64 [N, N]: entry [t, b] is that of t learned with b.

        NaN on the diagonal and for pairs that were not collected.
        """
        return pairs_of_estimate(self.valid, self.sets)
