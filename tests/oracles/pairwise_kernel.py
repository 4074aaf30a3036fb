"""Kernel ridge regression on pairs of a molecule and a task, pair by pair (Jacob and Vert, 2008, eq. 4)."""

import math

import numpy as np

Labels = list[list[float]]  # of molecules, then of tasks; NaN where missing


def tanimoto(one: set[int], other: set[int]) -> float:
    """Common bits among all bits of two molecules, 0 where both have none."""
    return len(one & other) / len(one | other) if one | other else 0.0


def correlation(one: list[float], other: list[float]) -> float:
    """Pearson's of two tasks over the molecules with both labels, 0 where it is undefined."""
    both = [(x, y) for x, y in zip(one, other, strict=True) if not math.isnan(x) and not math.isnan(y)]
    if len(both) < 3:
        return 0.0
    mean_x, mean_y = (sum(pair[place] for pair in both) / len(both) for place in (0, 1))
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in both)
    variance = sum((x - mean_x) ** 2 for x, _ in both) * sum((y - mean_y) ** 2 for _, y in both)
    return covariance / math.sqrt(variance) if variance > 0 else 0.0


def task_kernel(labels: Labels, shares: tuple[float, float, float], shrinking: float) -> np.ndarray:
    """Shares of 1 for a task with itself, 1 for every pair, and shrunk correlations, made semi-definite."""
    columns = [list(column) for column in zip(*labels, strict=True)]
    n_tasks = len(columns)
    found = np.eye(n_tasks)
    for i in range(n_tasks):
        for j in range(n_tasks):
            if i != j:
                pairs = zip(columns[i], columns[j], strict=True)
                common = sum(not math.isnan(x) and not math.isnan(y) for x, y in pairs)
                found[i, j] = correlation(columns[i], columns[j]) * common / (common + shrinking)
    values, vectors = np.linalg.eigh(found)
    repaired = sum(
        max(value, 0.0) * np.outer(vector, vector) for value, vector in zip(values, vectors.T, strict=True)
    )
    kernel = np.empty((n_tasks, n_tasks))
    for i in range(n_tasks):
        for j in range(n_tasks):
            similar = repaired[i, j] / math.sqrt(repaired[i, i] * repaired[j, j])
            kernel[i, j] = shares[0] * (i == j) + shares[1] + shares[2] * similar
    return kernel


def predict(
    known: list[set[int]], labels: Labels, asked: list[set[int]], tasks: np.ndarray, penalty: float
) -> np.ndarray:
    """Values [asked, T]: a matrix over all labelled pairs is formed and solved, and pairs are summed."""
    n_tasks = len(labels[0])
    moments = []
    for task in range(n_tasks):
        own = [row[task] for row in labels if not math.isnan(row[task])]
        mean = sum(own) / len(own)
        moments.append((mean, math.sqrt(sum((value - mean) ** 2 for value in own) / len(own)) or 1.0))
    pairs = [(i, t) for i in range(len(labels)) for t in range(n_tasks) if not math.isnan(labels[i][t])]
    matrix = np.empty((len(pairs), len(pairs)))
    for row, (i, s) in enumerate(pairs):
        for column, (j, t) in enumerate(pairs):
            matrix[row, column] = tanimoto(known[i], known[j]) * tasks[s, t] + penalty * (row == column)
    targets = [(labels[i][t] - moments[t][0]) / moments[t][1] for i, t in pairs]
    dual = np.linalg.solve(matrix, targets)
    found = np.empty((len(asked), n_tasks))
    for row, molecule in enumerate(asked):
        for task, (mean, deviation) in enumerate(moments):
            total = sum(
                weight * tanimoto(molecule, known[i]) * tasks[t, task]
                for weight, (i, t) in zip(dual, pairs, strict=True)
            )
            found[row, task] = mean + deviation * total
    return found
