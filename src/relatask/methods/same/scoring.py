"""What is made of items at three levels, some graphs at a time."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from relatask.inputs.parts_batch import GRAPH, NODE, PAIR, GraphParts, PartsBatch

NODES = 1 << 14  # at once, of whole graphs: what memory grows with


def by_level(
    parts: GraphParts,
    rows: Tensor,
    states_of: Callable[[PartsBatch, int], Tensor],
    read: Callable[[Tensor, PartsBatch, int], Tensor],
    shown: bool = False,
) -> dict[int, tuple[Tensor, Tensor]]:
    """Read the states of nodes for items of each level.

    Pairs are read where no edge that is an item carries messages, graphs and nodes with all edges.

    Args:
        parts: all graphs.
        rows: int64 [n], positions of items.
        states_of: (graphs, level) -> states [N, w] of their nodes.
        read: (states, graphs with items that are asked for, level) -> what is read of them, [B, k].
        shown: whether edges that are items carry messages for pairs too, as released with SAME.

    Returns:
        Level -> places in `rows`, int64 [m], and what was read, [m, k]; levels without an item are absent.
    """
    graphs, owner = parts.graph_of_item[rows].unique(return_inverse=True)
    level, order = parts.level[rows], owner.argsort(stable=True)
    sizes = runs_of(parts.node_offsets.diff()[graphs])
    ends = torch.searchsorted(owner[order], torch.tensor(sizes, device=owner.device).cumsum(0)).tolist()
    found: dict[int, list[tuple[Tensor, Tensor]]] = {}
    start = first = 0
    for size, end in zip(sizes, ends, strict=True):
        batch, chosen = parts.graphs(graphs[start : start + size]), order[first:end]
        for one in (GRAPH, NODE, PAIR):
            places = chosen[level[chosen] == one]
            if len(places):
                x = _asked(parts, batch, graphs, owner[places], rows[places], start, one)
                if one == PAIR and not shown:
                    x = x.without_items()
                found.setdefault(one, []).append((places, read(states_of(x, one), x, one)))
        start, first = start + size, end
    return {
        one: (torch.cat([places for places, _ in own]), torch.cat([values for _, values in own]))
        for one, own in found.items()
    }


def runs_of(n_nodes: Tensor) -> list[int]:
    """Return how many graphs of `n_nodes` (int64 [G]) nodes are read at once, one run after the other.

    A run has some `NODES` nodes, or is a single graph that has more.
    """
    run = (n_nodes.cumsum(0) - 1).clamp(min=0) // NODES
    sizes: list[int] = run.unique_consecutive(return_counts=True)[1].tolist()
    return sizes


def _asked(
    parts: GraphParts, batch: PartsBatch, graphs: Tensor, owner: Tensor, rows: Tensor, start: int, level: int
) -> PartsBatch:
    """Return a batch of graphs, from the `start`th on, that is asked for items of one level."""
    place = parts.place[rows]
    if level == GRAPH:
        asked = torch.stack([owner - start, owner - start], 1)
    else:
        shift = batch.node_offsets[:-1][owner - start] - parts.node_offsets[graphs[owner]]
        ends = torch.stack([place, place], 1) if level == NODE else parts.ends[place]
        asked = ends + shift[:, None]
    return replace(batch, level=torch.full_like(rows, level), parts=asked)
