"""Labels and scores of many groups of rows, such as of a run, task and fold, for metrics of all at once."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Groups:
    """Labels and scores of many groups, sorted by group and, within one, by ascending score.

    Attributes:
        starts: int64 [G], position of each group's first row.
        group: int64 [N], group of each row, 0 to G - 1.
        label: float64 [N], 0 or 1.
        score: float64 [N], probability of label 1.
        n: float64 [G], rows of each group.
        n_pos: float64 [G], rows with label 1.
    """

    starts: np.ndarray
    group: np.ndarray
    label: np.ndarray
    score: np.ndarray
    n: np.ndarray
    n_pos: np.ndarray

    @classmethod
    def of_sorted(cls, key: np.ndarray, label: np.ndarray, score: np.ndarray) -> "Groups":
        """Group rows sorted by (key, score); rows with one key form a group."""
        first = np.ones(len(key), bool)
        first[1:] = key[1:] != key[:-1]
        starts = np.flatnonzero(first)
        label = label.astype(np.float64)
        n = np.diff(np.append(starts, len(key))).astype(np.float64)
        n_pos = np.add.reduceat((label == 1).astype(np.float64), starts)
        return cls(starts, np.cumsum(first) - 1, label, score.astype(np.float64), n, n_pos)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values` [N] over each group, [G]."""
        return np.add.reduceat(values, self.starts)

    def ties(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the first row of each run of equal scores within a group, and the group of it."""
        first = np.ones(len(self.score), bool)
        first[1:] = (self.score[1:] != self.score[:-1]) | (self.group[1:] != self.group[:-1])
        begins = np.flatnonzero(first)
        return begins, self.group[begins]
