"""Conformal intervals and sets: they hold the truth as often as asked, whatever the model.

That is so on average over what is predicted, where it is exchangeable with what was scored: a molecule of
another series than those that were tested is not, and may be missed more often.
"""

import math
from collections.abc import Sequence

import numpy as np

MOST = 500  # scores that are kept of one task
SAME = 1e-9  # of ranks that differ by rounding alone


def least_labels(level: float) -> int:
    """Return how many scores an interval of this level needs: there must be a ceil((n + 1) level)-th."""
    return math.ceil(level / (1 - level) - SAME)


def kept_scores(scores: np.ndarray) -> np.ndarray:
    """Return scores [n] in ascending order, of more than `MOST` so many at ranks that are evenly apart."""
    scores = np.sort(np.asarray(scores, np.float64))
    return scores[_ranks(len(scores)) - 1]


def quantile(kept: np.ndarray, n: int, level: float) -> float:
    """Return what a further score stays below or at with a chance of `level` at least.

    It is the ceil((n + 1) level)-th smallest of n scores (Lei et al., 2018, theorem 2.2), as the rank of a
    further one among n + 1 is uniform. Where not all were kept, it is the next larger one that was.

    Args:
        kept: as `kept_scores` returns them.
        n: of how many scores.
        level: above 0 and below 1.

    Returns:
        Infinity where n is less than `least_labels`.
    """
    rank = math.ceil((n + 1) * level - SAME)
    return float(kept[np.searchsorted(_ranks(n), rank)]) if rank <= n else math.inf


def _ranks(n: int) -> np.ndarray:
    """Return which ranks, from 1 to n, are kept of n scores; the last is among them."""
    size = min(n, MOST)
    return -(-np.arange(1, size + 1) * n // max(size, 1))


def class_set(counts: Sequence[tuple[int, int]], level: float) -> tuple[list[int], bool]:
    """Return the classes that hold the truth with a chance of `level` at least where a class is predicted.

    It is the full conformal set (Vovk, Gammerman and Shafer, 2005, chapter 2) of the labels that items with
    this prediction had, with the frequency of a label as its conformity: class y is left out if, were it the
    next label, at most 1 - level of the labels were as rare. So it holds for each predicted class alone.

    Args:
        counts: label and how often items with this prediction had it; labels that none had are left out.
        level: above 0 and below 1.

    Returns:
        The labels, the most frequent first, and whether labels that no such item had belong to them too.
    """
    total = sum(count for _, count in counts) + 1
    inside = []
    for label, count in sorted(counts, key=lambda pair: (-pair[1], pair[0])):
        rarer = sum(other for name, other in counts if name != label and other <= count + 1)
        if (rarer + count + 1) / total > 1 - level + SAME:
            inside.append(label)
    unseen = (sum(count for _, count in counts if count <= 1) + 1) / total > 1 - level + SAME
    return inside, unseen
