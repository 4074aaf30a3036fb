"""What is made of items at three levels, some graphs at a time."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from relatask.inputs.parts_batch import GRAPH, NODE, PAIR, GraphParts, PartsBatch

AT_ONCE = 256  # graphs


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
    level = parts.level[rows]
    found: dict[int, list[tuple[Tensor, Tensor]]] = {}
    for start in range(0, len(graphs), AT_ONCE):
        chosen = (owner >= start) & (owner < start + AT_ONCE)
        batch = parts.graphs(graphs[start : start + AT_ONCE])
        for one in (GRAPH, NODE, PAIR):
            places = (chosen & (level == one)).nonzero()[:, 0]
            if len(places):
                x = _asked(parts, batch, graphs, owner[places], rows[places], start, one)
                if one == PAIR and not shown:
                    x = x.without_items()
                found.setdefault(one, []).append((places, read(states_of(x, one), x, one)))
    return {
        one: (torch.cat([places for places, _ in own]), torch.cat([values for _, values in own]))
        for one, own in found.items()
    }


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
