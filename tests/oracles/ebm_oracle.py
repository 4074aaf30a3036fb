"""Eqs. 9-14 and 21 of SGNN-EBM as they are written: loops over tasks, edges and all 2^T label vectors.

One molecule at a time: node factors [T, 2], edge factors [E, 2, 2], edges as pairs of tasks, labels and
probabilities as lists. Values are float64 tensors, so that gradients can be taken.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Labels = Sequence[int]


@dataclass(frozen=True)
class Problem:
    """A molecule's factors on a relation graph, with λ and its backbone q(y_i = 1 | x)."""

    node: Tensor
    edge: Tensor
    edges: tuple[tuple[int, int], ...]
    weight: float
    backbone: tuple[float, ...]
    by_degree: bool = False  # λ of an edge is divided by the square root of the product of both degrees

    def weight_of(self, edge: int) -> float:
        """λ of an edge."""
        if not self.by_degree:
            return self.weight
        i, j = self.edges[edge]
        return self.weight / (len(self.neighbours(i)) * len(self.neighbours(j))) ** 0.5

    @property
    def n_tasks(self) -> int:
        return len(self.node)

    @property
    def edge_index(self) -> Tensor:
        return torch.tensor(self.edges, dtype=torch.int64).reshape(-1, 2).t()

    def neighbours(self, task: int) -> list[int]:
        return [j if i == task else i for i, j in self.edges if task in (i, j)]


def random_problems(
    n: int, n_tasks: int, density: float, seed: int, weight: float = 0.7, scale: float = 1.5
) -> list[Problem]:
    """n molecules on one random graph whose pairs have their ends in random order.

    Factors are log-softmax of normal scores.
    """
    rng = np.random.default_rng(seed)
    edges = [pair for pair in itertools.combinations(range(n_tasks), 2) if rng.random() < density]
    edges = [edges[k][:: rng.choice([1, -1])] for k in rng.permutation(len(edges))]
    problems = []
    for _ in range(n):
        node = torch.from_numpy(rng.normal(0, scale, (n_tasks, 2))).log_softmax(-1)
        edge = torch.from_numpy(rng.normal(0, scale, (len(edges), 4))).log_softmax(-1).reshape(-1, 2, 2)
        backbone = tuple(float(p) for p in rng.uniform(0.05, 0.95, n_tasks))
        problems.append(Problem(node, edge, tuple(edges), weight, backbone))
    return problems


def stacked(problems: Sequence[Problem]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Node factors [B, T, 2], edge factors [B, E, 2, 2], edge index [2, E] and backbone [B, T]."""
    node, edge = (torch.stack([getattr(p, name) for p in problems]) for name in ("node", "edge"))
    backbone = torch.tensor([p.backbone for p in problems], dtype=torch.float64)
    return node, edge, problems[0].edge_index, backbone


def all_labels(n_tasks: int) -> list[tuple[int, ...]]:
    return list(itertools.product((0, 1), repeat=n_tasks))


def energy(problem: Problem, y: Labels) -> Tensor:
    """Eq. 9."""
    total = torch.zeros((), dtype=torch.float64)
    for i in range(problem.n_tasks):
        total = total - problem.node[i, y[i]]
    for e, (i, j) in enumerate(problem.edges):
        total = total - problem.weight_of(e) * problem.edge[e, y[i], y[j]]
    return total


def probability(y: Labels, bernoulli: Sequence[float]) -> float:
    """Independent labels, each 1 with its own probability."""
    product = 1.0
    for label, p in zip(y, bernoulli, strict=True):
        product *= p if label else 1 - p
    return product


def tilted(problem: Problem, y: Labels) -> Tensor:
    """q(y|x) exp(-E(x, y)), section 5.3."""
    return probability(y, problem.backbone) * torch.exp(-energy(problem, y))


def partition(problem: Problem) -> float:
    """Z of the tilting distribution."""
    return float(sum(tilted(problem, y) for y in all_labels(problem.n_tasks)))


def distribution(problem: Problem) -> Tensor:
    """Tilting distribution over `all_labels`, [2^T]."""
    weights = torch.stack([tilted(problem, y) for y in all_labels(problem.n_tasks)])
    return weights / weights.sum()


def marginals(problem: Problem) -> list[float]:
    """P(y_i = 1 | x) of the tilting distribution, by enumeration."""
    z, result = partition(problem), []
    for i in range(problem.n_tasks):
        result.append(sum(float(tilted(problem, y)) for y in all_labels(problem.n_tasks) if y[i]) / z)
    return result


def conditional(problem: Problem, y: Labels, task: int) -> float:
    """P(y_task = 1 | the others) of the tilting distribution: eq. 14 times q, normalised over y_task."""
    scores = []
    for label in (0, 1):
        score = problem.node[task, label]
        for e, (i, j) in enumerate(problem.edges):
            if i == task:
                score = score + problem.weight_of(e) * problem.edge[e, label, y[j]]
            elif j == task:
                score = score + problem.weight_of(e) * problem.edge[e, y[i], label]
        q = problem.backbone[task]
        scores.append(float(torch.exp(score)) * (q if label else 1 - q))
    return scores[1] / sum(scores)


def released_conditional(problem: Problem, y: Labels, task: int) -> float:
    """As in the authors' code: softmax of probabilities, times the backbone's, not normalised."""
    exponents = []
    for label in (0, 1):
        score = float(problem.node[task, label].exp())
        for e, (i, j) in enumerate(problem.edges):
            if i == task:
                score += problem.weight * float(problem.edge[e, label, y[j]].exp())
            elif j == task:
                score += problem.weight * float(problem.edge[e, y[i], label].exp())
        exponents.append(np.exp(score))
    return float(exponents[1] / sum(exponents) * problem.backbone[task])


def sequential_sweep(
    problem: Problem, y: Labels, draws: Sequence[float], order: Sequence[int], released: bool = False
) -> tuple[list[int], list[float]]:
    """One task after the other in `order`: the new labels, and the conditional each was drawn from."""
    y, seen = list(y), [0.0] * problem.n_tasks
    for task in order:
        seen[task] = (released_conditional if released else conditional)(problem, y, task)
        y[task] = int(draws[task] < seen[task])
    return y, seen


def sweep_matrix(problem: Problem, order: Sequence[int]) -> Tensor:
    """Transition matrix [2^T, 2^T] of a sequential sweep: a product of one matrix per task."""
    states = all_labels(problem.n_tasks)
    position = {y: k for k, y in enumerate(states)}
    total = torch.eye(len(states), dtype=torch.float64)
    for task in order:
        step = torch.zeros(len(states), len(states), dtype=torch.float64)
        for k, y in enumerate(states):
            p = conditional(problem, y, task)
            for label in (0, 1):
                step[k, position[(*y[:task], label, *y[task + 1 :])]] += p if label else 1 - p
        total = total @ step
    return total


def nce(
    problem: Problem,
    data: Sequence[tuple[Labels, float]],
    noisy: Sequence[tuple[Labels, float]],
    noise: Sequence[float],
    model: str = "paper",
    log_z: Tensor | float = 0.0,
) -> Tensor:
    """Minus eq. 12, its expectations over label vectors with the given weights.

    The model is q exp(-E) / Z, or exp(-E) / Z where that is "untilted"; the paper takes Z = 1.
    """
    total = torch.zeros((), dtype=torch.float64)
    for vectors, of_data in ((data, True), (noisy, False)):
        for y, weight in vectors:
            p_noise = probability(y, noise)
            p_model = tilted(problem, y) if model != "untilted" else torch.exp(-energy(problem, y))
            p_model = p_model / torch.exp(torch.as_tensor(log_z))
            share = (p_model if of_data else p_noise) / (p_noise + p_model)
            total = total - weight * torch.log(share)
    return total


def nce_of_energies(problem: Problem, data: Sequence[Labels], noisy: Sequence[Labels]) -> Tensor:
    """Minus the last line of eq. 21 (eq. 13), means over label vectors."""
    total = torch.zeros((), dtype=torch.float64)
    for y in noisy:
        total = total - torch.log(1 / (1 + torch.exp(-energy(problem, y)))) / len(noisy)
    for y in data:
        total = total - torch.log(1 / (1 + torch.exp(energy(problem, y)))) / len(data)
    return total


def pseudo_likelihood(problem: Problem, data: Sequence[Labels]) -> Tensor:
    """Minus the log-likelihood of every label and, times λ, of every related pair of labels; mean over data.

    Factors are logarithms of probabilities: of a label [T, 2], and of a pair of labels [E, 2, 2].
    """
    total = torch.zeros((), dtype=torch.float64)
    for y in data:
        for i in range(problem.n_tasks):
            total = total - torch.log(torch.exp(problem.node[i, y[i]])) / len(data)
        for e, (i, j) in enumerate(problem.edges):
            likelihood = torch.exp(problem.edge[e, y[i], y[j]])
            total = total - problem.weight_of(e) * torch.log(likelihood) / len(data)
    return total


def completions(labels: Sequence[float], filler: Sequence[float]) -> list[tuple[tuple[int, ...], float]]:
    """Every way to fill in the missing (NaN) labels, with its probability under independent `filler`."""
    found = []
    for y in all_labels(len(labels)):
        if all(np.isnan(known) or known == label for known, label in zip(labels, y, strict=True)):
            missing = [i for i, known in enumerate(labels) if np.isnan(known)]
            found.append((y, probability([y[i] for i in missing], [filler[i] for i in missing])))
    return found
