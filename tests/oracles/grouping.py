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


def penalised_regression(
    sets: np.ndarray, gains: np.ndarray, wanted: np.ndarray, penalty: float
) -> np.ndarray:
    """Ridge on an indicator of each task and of ordered pair, all cells at once; tasks carry no penalty."""
    n_tasks = sets.shape[1]
    columns = [(task,) for task in range(n_tasks)]
    columns += [(task, other) for task in range(n_tasks) for other in range(n_tasks) if other != task]

    def row(member: np.ndarray, task: int) -> list[float]:
        return [
            float(column[0] == task and (len(column) == 1 or bool(member[column[1]]))) for column in columns
        ]

    cells = [(s, t) for s in range(len(sets)) for t in range(n_tasks) if sets[s, t]]
    x = np.array([row(sets[s], t) for s, t in cells])
    y = np.array([gains[s, t] for s, t in cells])
    shrink = penalty * np.diag([0.0 if len(column) == 1 else 1.0 for column in columns])
    weights = np.linalg.solve(x.T @ x + shrink, x.T @ y)
    return np.array([[row(member, task) @ weights for task in range(n_tasks)] for member in wanted])
