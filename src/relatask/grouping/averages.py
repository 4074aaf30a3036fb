"""Estimates that average over the partners of a task: HOA of its gains in pairs, TAG of affinities."""

import numpy as np


def average_over_partners(pairs: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Return the mean over a task's partners in each set of what it has with each alone.

    With gains of pairs this is the high-order approximation (Standley et al., 2020; MTG-Net, section 1); with
    the affinity of each partner onto the task it is TAG (Fifty et al., 2021). One product of matrices.

    Args:
        pairs: float64 [N, N], entry [t, b] is what t has with b; the diagonal is not read.
        sets: bool [S, N].

    Returns:
        float64 [S, N], NaN outside the set and where a pair is NaN, 0 for a task alone.
    """
    partners = sets.sum(1, keepdims=True) - 1
    values = pairs.copy()
    np.fill_diagonal(values, 0.0)
    unknown = np.isnan(values)
    members = sets.astype(np.float64)
    sums = members @ np.where(unknown, 0.0, values).T
    sums[members @ unknown.T.astype(np.float64) > 0] = np.nan
    return np.where(sets, sums / np.maximum(partners, 1), np.nan)


def pairs_of_estimate(estimate: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Return the [N, N] that an estimate was averaged from, read off its sets of two tasks; else NaN."""
    pairs = np.full((sets.shape[1],) * 2, np.nan)
    for row in np.flatnonzero(sets.sum(1) == 2):
        one, other = np.flatnonzero(sets[row])
        pairs[one, other], pairs[other, one] = estimate[row, one], estimate[row, other]
    return pairs
