"""Do two matrices over the same tasks agree? Rank correlation over pairs, with a permutation test.

Pairs that share a task are not independent, so a test that takes pairs for a sample finds agreement where
there is none. Mantel's test (1967) permutes tasks: each matrix stays as it is, and only which task is which
is lost.
"""

import math

import numpy as np
from scipy.stats import rankdata

PERMUTATIONS = 9_999
MIN_TASKS = 5  # four have 24 permutations
CELLS = 2_000_000  # of pairs and permutations at a time


def mantel(
    one: np.ndarray, other: np.ndarray, permutations: int = PERMUTATIONS, seed: int = 0
) -> tuple[float, float]:
    """Return Spearman's correlation over the pairs of n tasks and its two-sided p value.

    Args:
        one: symmetric, float64 [n, n], without NaN off the diagonal, which is not read.
        other: of the same form.
        permutations: of tasks that are drawn; with P of them no p value is less than 1 / (P + 1).
        seed: of the draws.

    Returns:
        The correlation, and the share of permutations, the given order included, whose correlation is at
        least as far from 0; NaN where all pairs of a matrix are equal.
    """
    n = len(one)
    row, column = np.triu_indices(n, 1)
    first, second = _ranks(one[row, column]), _ranks(other[row, column])
    if not first.any() or not second.any():
        return math.nan, math.nan
    correlation = float(first @ second)
    square = np.zeros((n, n))
    square[row, column] = square[column, row] = first
    rng, extreme, left = np.random.default_rng(seed), 1, permutations
    while left:
        size = min(left, max(1, CELLS // len(row)))
        order = rng.permuted(np.tile(np.arange(n), (size, 1)), axis=1)
        found = square[order[:, row], order[:, column]] @ second
        extreme += int((np.abs(found) >= abs(correlation) - 1e-12).sum())
        left -= size
    return correlation, extreme / (permutations + 1)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks of mean 0 and length 1; zeros where all values are equal."""
    ranks = rankdata(values)
    centred = ranks - ranks.mean()
    length = np.linalg.norm(centred)
    return centred / length if length else centred


def complete(defined: np.ndarray) -> np.ndarray:
    """Return the positions of tasks of which all pairs are defined, int64 [n].

    Tasks are left out one by one, first those with most undefined pairs, of equal ones the last.

    Args:
        defined: bool [T, T], symmetric; the diagonal is not read.
    """
    lost = ~defined
    np.fill_diagonal(lost, False)
    kept = np.arange(len(lost))
    while len(kept) and (counts := lost[np.ix_(kept, kept)].sum(1)).any():
        kept = np.delete(kept, len(kept) - 1 - counts[::-1].argmax())
    return kept
