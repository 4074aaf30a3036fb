"""The relation graph among a problem's tasks, or a shuffled one, or none, of a control."""

import torch
from torch import Tensor

from relatask.engine.problem import Problem

SWAPS_PER_EDGE = 10  # attempts; the overlap with the true graph no longer falls beyond that


def task_graph(problem: Problem) -> tuple[Tensor, Tensor]:
    """Return edges int64 [2, E], positions in the problem, each pair once, and scores float32 [E].

    With `graph: shuffled` in the spec each task of the data set keeps its number of edges but not its
    partners, and the scores are dealt out anew: a method that gains from the true relations must not gain
    from these. The random graph belongs to data set, split and seed: every row of a study sees the same one.
    `shuffled_7` is another such graph, the seventh of as many as a control wants; with `none` there are no
    edges.
    """
    edges, scores = problem.data.relations()
    kind, _, number = problem.spec.graph.partition("_")
    if kind == "none":
        return edges[:, :0], scores[:0]
    if kind == "shuffled":
        names = ("graph", int(number)) if number else ("graph",)
        generator = torch.Generator().manual_seed(problem.spec.data_seed(*names))
        order = torch.randperm(len(scores), generator=generator).to(scores.device)
        edges, scores = swap_edges(edges.cpu(), generator).to(edges.device), scores[order]
    position = torch.full((len(problem.data.task_ids),), -1, device=edges.device)
    position[problem.columns] = torch.arange(len(problem.columns), device=edges.device)
    edges = position[edges]
    kept = (edges >= 0).all(0)
    return edges[:, kept], scores[kept]


def swap_edges(edges: Tensor, generator: torch.Generator) -> Tensor:
    """Return a random graph with the degrees of `edges` [2, E], by swapping ends of pairs of edges.

    A swap that would make a loop or a double edge is left out (Maslov & Sneppen, 2002).
    """
    pairs = [tuple(sorted(pair)) for pair in edges.T.tolist()]
    present, n_draws = set(pairs), SWAPS_PER_EDGE * len(pairs)
    if len(pairs) < 2:
        return edges
    draws = torch.randint(len(pairs), (n_draws, 2), generator=generator).tolist()
    flips = torch.randint(2, (n_draws,), generator=generator).tolist()
    for (first, second), flip in zip(draws, flips, strict=True):
        (a, b), (c, d) = pairs[first], pairs[second][:: -1 if flip else 1]
        new = (min(a, d), max(a, d)), (min(c, b), max(c, b))
        if a == d or c == b or new[0] == new[1] or new[0] in present or new[1] in present:
            continue
        present -= {pairs[first], pairs[second]}
        present |= set(new)
        pairs[first], pairs[second] = new
    return torch.tensor(sorted(pairs), dtype=edges.dtype).T.contiguous()
