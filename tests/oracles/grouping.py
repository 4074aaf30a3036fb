"""Choices of groups by trying all, and averages of pairs by loops."""

from itertools import combinations

import numpy as np


def best_by_trying_all(estimate: np.ndarray, budget: int, costs: np.ndarray, max_cost: float) -> float | None:
    """Greatest mean over tasks of the best estimate among at most `budget` sets that hold every task."""
    best = None
    for size in range(1, budget + 1):
        for rows in combinations(range(len(estimate)), size):
            if sum(costs[row] for row in rows) > max_cost:
                continue
            served = []
            for task in range(estimate.shape[1]):
                values = [estimate[row, task] for row in rows if not np.isnan(estimate[row, task])]
                if not values:
                    break
                served.append(max(values))
            else:
                value = sum(served) / len(served)
                best = value if best is None else max(best, value)
    return best


def mean_over_partners(pairs: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """HOA as it is said: the average over partners of the gain in the pair."""
    estimate = np.full(sets.shape, np.nan)
    for number, chosen in enumerate(sets):
        tasks = [task for task in range(len(chosen)) if chosen[task]]
        for task in tasks:
            partners = [other for other in tasks if other != task]
            estimate[number, task] = (
                sum(pairs[task, other] for other in partners) / len(partners) if partners else 0.0
            )
    return estimate
