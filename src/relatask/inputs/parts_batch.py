"""Graphs, nodes and pairs of nodes as flat tensors; a batch is some graphs and what is asked of them."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.inputs.ragged import ragged

GRAPH, NODE, PAIR = range(3)


def require_features(read: int, given: int) -> None:
    """Raise where a trained model reads another number of attributes of a node than a table gives."""
    if read != given:
        raise RelataskError(
            f"the model reads {read} numbers of each node, and this table gives {given}; give vectors of "
            "that length."
        )


@dataclass(frozen=True)
class GraphParts:
    """G graphs with N nodes, P pairs and E edges, on one device; each edge is there in both directions."""

    level: Tensor  # int64 [M]: GRAPH, NODE or PAIR of each item
    place: Tensor  # int64 [M]: its number among those of its level
    node_offsets: Tensor  # int64 [G + 1]: graph g has the nodes [offset g, offset g + 1)
    vectors: Tensor  # float32 [N, d]
    neighbour_offsets: Tensor  # int64 [N + 1]
    neighbours: Tensor  # int64 [2 E], rising within a node, no self loops
    is_item: Tensor  # bool [2 E]: whether the edge is a pair among the items
    ends: Tensor  # int64 [P, 2]: numbers of nodes

    def __len__(self) -> int:
        """Number of items."""
        return len(self.level)

    @property
    def n_features(self) -> int:
        """How many numbers are known of a node."""
        return self.vectors.shape[1]

    @cached_property
    def graph_of_node(self) -> Tensor:
        """int64 [N]."""
        return torch.repeat_interleave(self.node_offsets.diff())

    @cached_property
    def graph_of_item(self) -> Tensor:
        """int64 [M]."""
        found = self.place.clone()
        node = self.level == NODE
        found[node] = self.graph_of_node[self.place[node]]
        pair = self.level == PAIR
        found[pair] = self.graph_of_node[self.ends[self.place[pair], 0]]
        return found

    def batch(self, rows: Tensor) -> "PartsBatch":
        """Return the items at positions `rows` (int64 [B]) in their graphs, without edges that are items.

        Whether an edge is there may be asked about, and its ends must not tell each other.
        """
        graphs, owner = self.graph_of_item[rows].unique(return_inverse=True)
        found = self.graphs(graphs).without_items()
        level, place = self.level[rows], self.place[rows]
        # Where the first node of each row's graph is in the batch, less where it is among all nodes.
        shift = found.node_offsets[:-1][owner] - self.node_offsets[graphs[owner]]
        nodes = torch.stack([owner, owner], 1)
        node, pair = level == NODE, level == PAIR
        nodes[node] = (place[node] + shift[node])[:, None]
        nodes[pair] = self.ends[place[pair]] + shift[pair, None]
        return replace(found, level=level, parts=nodes)

    def graphs(self, numbers: Tensor) -> "PartsBatch":
        """Return the graphs at `numbers` (int64 [b]) with all their edges, one after the other."""
        nodes, owner, starts = ragged(self.node_offsets, numbers)
        edges, receiver, _ = ragged(self.neighbour_offsets, nodes)
        shift = starts[:-1] - self.node_offsets[numbers]
        return PartsBatch(
            vectors=self.vectors[nodes],
            graph=owner,
            node_offsets=starts,
            source=self.neighbours[edges] + shift[owner[receiver]],
            receiver=receiver,
            is_item=self.is_item[edges],
            level=owner[:0],
            parts=owner.new_empty(0, 2),
        )


@dataclass(frozen=True)
class PartsBatch:
    """b graphs with N nodes and E directed edges, and B items that are asked for."""

    vectors: Tensor  # float32 [N, d]
    graph: Tensor  # int64 [N]: the graph of each node
    node_offsets: Tensor  # int64 [b + 1]
    source: Tensor  # int64 [E]: where an edge begins, grouped by receiver
    receiver: Tensor  # int64 [E]: where it ends, rising
    is_item: Tensor  # bool [E]
    level: Tensor  # int64 [B]: GRAPH, NODE or PAIR
    parts: Tensor  # int64 [B, 2]: of a pair its nodes, of a node or a graph its number, twice

    def __len__(self) -> int:
        """Number of items that are asked for."""
        return len(self.level)

    @property
    def n_graphs(self) -> int:
        """Number of graphs."""
        return len(self.node_offsets) - 1

    def with_edges(self, chosen: Tensor) -> "PartsBatch":
        """Return the same with the edges where `chosen`, bool [E], is true."""
        return replace(
            self,
            source=self.source[chosen],
            receiver=self.receiver[chosen],
            is_item=self.is_item[chosen],
        )

    def without_items(self) -> "PartsBatch":
        """Return the same without the edges that are items."""
        return self.with_edges(~self.is_item)
