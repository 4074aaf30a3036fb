"""Gains of task sets: how much better a task does when it is learned with others than alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from relatask.core.errors import RelataskError
from relatask.grouping.averages import pairs_of_estimate


def members(sets: Sequence[Sequence[str]], tasks: Sequence[str]) -> np.ndarray:
    """Return which of N `tasks` are in each of S task sets, bool [S, N], in the order of `in_order`."""
    column = {task: number for number, task in enumerate(tasks)}
    member = np.zeros((len(sets), len(tasks)), bool)
    for row, chosen in enumerate(sets):
        member[row, [column[task] for task in chosen]] = True
    return member[in_order(member)]


def in_order(sets: np.ndarray) -> np.ndarray:
    """Return the places of task sets (bool [S, N]) by size, then by the order of tasks, int64 [S]."""
    return np.lexsort([*(~sets).T[::-1], sets.sum(1)])


@dataclass(frozen=True)
class GainTable:
    """Collected gains of S task sets over N tasks.

    A gain is the relative improvement of a task's metric over the same task alone, positive when the set
    helps (MTG-Net, section 3.1). It is NaN for tasks outside the set and in sets that were not trained, and
    0 for a task alone.
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

    @classmethod
    def unknown(cls, tasks: Sequence[str], sets: np.ndarray) -> "GainTable":
        """Return a table of task sets, bool [S, N], of which none was trained."""
        return cls(list(tasks), sets, *(np.full(sets.shape, np.nan) for _ in range(2)))

    def among(self, sets: np.ndarray) -> "GainTable":
        """Return the same gains among more task sets, bool [S', N] in their order, of unknown gains.

        Raises:
            RelataskError: a set of this table is not among them.
        """
        wide = self.unknown(self.tasks, sets)
        rows = [wide.row_of(np.flatnonzero(row).tolist()) for row in self.sets]
        wide.valid[rows], wide.test[rows] = self.valid, self.test
        return wide

    def hiding(self, rows: np.ndarray) -> "GainTable":
        """Return the same sets with the validation gains of some (bool [S]) unknown."""
        return replace(self, valid=np.where(rows[:, None], np.nan, self.valid))

    def pair_gains(self) -> np.ndarray:
        """Validation gains of pairs, float64 [N, N]: entry [t, b] is that of t learned with b.

        NaN on the diagonal and for pairs that were not collected.
        """
        return pairs_of_estimate(self.valid, self.sets)
