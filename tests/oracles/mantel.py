"""Mantel's test as its definition: every permutation of the tasks, and pairs one by one."""

from itertools import combinations, permutations
from statistics import mean


def ranks(values: list[float]) -> list[float]:
    """Ranks from 1, equal values sharing their mean rank."""
    return [
        mean(place for place, other in enumerate(sorted(values), start=1) if other == value)
        for value in values
    ]


def spearman(one: list[float], other: list[float]) -> float:
    """Correlation of the ranks."""
    first, second = ranks(one), ranks(other)
    centre = mean(first)
    covariance = sum((a - centre) * (b - centre) for a, b in zip(first, second, strict=True))
    sizes = [sum((a - centre) ** 2 for a in own) for own in (first, second)]
    return covariance / (sizes[0] * sizes[1]) ** 0.5


def mantel(one: list[list[float]], other: list[list[float]]) -> tuple[float, float]:
    """Correlation, and the share of all orders of tasks that are at least as far from 0."""
    pairs = list(combinations(range(len(one)), 2))
    known = [other[i][j] for i, j in pairs]
    found = [
        spearman([one[order[i]][order[j]] for i, j in pairs], known)
        for order in permutations(range(len(one)))
    ]
    return found[0], sum(abs(value) >= abs(found[0]) - 1e-9 for value in found) / len(found)
