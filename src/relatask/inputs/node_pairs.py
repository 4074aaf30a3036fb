"""Pairs of nodes of many graphs by index operations: which edges are chosen, and pairs without an edge.

The pairs (i, j), i < j, of a graph of n nodes are numbered in the order (0, 1), (0, 2), ..., (n - 2, n - 1).
"""

from dataclasses import dataclass

import torch
from torch import Tensor


def ranks(group: Tensor, key: Tensor | None = None) -> Tensor:
    """Return the place of each entry within its group, int64 [m], by rising `key`; without one as they come.

    Args:
        group: int64 [m].
        key: float [m].
    """
    order = torch.arange(len(group), device=group.device) if key is None else key.argsort(stable=True)
    order = order[group[order].argsort(stable=True)]
    by_group = group[order]
    place = torch.arange(len(group), device=group.device) - torch.searchsorted(by_group, by_group)
    return torch.empty_like(place).scatter_(0, order, place)


def number_of(ends: Tensor, n_nodes: Tensor) -> Tensor:
    """Return the numbers of pairs, int64 [m].

    Args:
        ends: int64 [m, 2], positions within their graph, the lower one first.
        n_nodes: int64 [m], of the graph of each pair.
    """
    low, high = ends.unbind(1)
    return low * n_nodes - low * (low + 1) // 2 + high - low - 1


def pair_of(number: Tensor, n_nodes: Tensor) -> Tensor:
    """Return the pairs with these numbers, int64 [m, 2]; the inverse of `number_of`."""
    width = 2 * n_nodes - 1
    root = (width * width - 8 * number).double().sqrt()
    low = ((width - root) / 2).long()
    # The root of a large number may be off in its last place.
    low -= (number < low * n_nodes - low * (low + 1) // 2).long()
    low += (number >= (low + 1) * n_nodes - (low + 1) * (low + 2) // 2).long()
    return torch.stack([low, number - (low * n_nodes - low * (low + 1) // 2) + low + 1], 1)


@dataclass(frozen=True)
class EdgeSet:
    """The E edges of b graphs, each once."""

    ends: Tensor  # int64 [E, 2], positions of nodes among those of all graphs, the lower one first; rising
    graph: Tensor  # int64 [E], rising
    node_offsets: Tensor  # int64 [b + 1]; graph g has the nodes [offset g, offset g + 1)

    @property
    def n_graphs(self) -> int:
        """Number of graphs."""
        return len(self.node_offsets) - 1

    @property
    def counts(self) -> Tensor:
        """Edges of each graph, int64 [b]."""
        return torch.bincount(self.graph, minlength=self.n_graphs)

    @property
    def other_counts(self) -> Tensor:
        """Pairs without an edge in each graph, int64 [b]."""
        sizes = self.node_offsets.diff()
        return sizes * (sizes - 1) // 2 - self.counts

    def others(self, graph: Tensor, place: Tensor) -> Tensor:
        """Return pairs without an edge, int64 [m, 2] as `ends`.

        Args:
            graph: int64 [m].
            place: int64 [m], of each pair among all of its graph without an edge, in the order of numbers.
        """
        sizes, starts, counts = self.node_offsets.diff(), self.node_offsets[:-1], self.counts
        numbers = number_of(self.ends - starts[self.graph, None], sizes[self.graph])
        first = counts.cumsum(0) - counts
        within = torch.arange(len(numbers), device=numbers.device) - first[self.graph]
        # Of each edge, how many pairs without one have a lower number; graph after graph, so that they rise.
        base = (
            self.other_counts.cumsum(0) - self.other_counts + torch.arange(self.n_graphs, device=first.device)
        )
        below = numbers - within + base[self.graph]
        edges_before = torch.searchsorted(below, place + base[graph], right=True) - first[graph]
        return pair_of(place + edges_before, sizes[graph]) + starts[graph, None]

    def drawn_others(self, counts: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Return the graph int64 [m] and the ends int64 [m, 2] of pairs without an edge, none twice.

        The pairs of a graph are cut into as many runs as are wanted, and one is drawn of each run.

        Args:
            counts: int64 [b], at most `other_counts` of each graph.
            generator: draws; None: the first pairs.
        """
        graph = torch.repeat_interleave(counts)
        number = ranks(graph)
        if generator is None:
            return graph, self.others(graph, number)
        u = torch.rand(len(graph), dtype=torch.float64, generator=generator).to(graph.device)
        wanted, there = counts[graph], self.other_counts[graph]
        begin, end = number * there // wanted, (number + 1) * there // wanted
        place = begin + (u * (end - begin)).long()
        return graph, self.others(graph, place)
