"""A graph whose nodes are the items, as flat tensors; a batch is the graph and the nodes that are asked for.

A node's prediction reads its neighbours, theirs, and so on: a few layers reach most of the graph. So the
graph is on the device once and whole, and a pass costs what the graph costs, whatever nodes it is for.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from relatask.inputs.adjacency import Adjacency


@dataclass(frozen=True)
class NodeGraph:
    """All N nodes of a graph of E edges on one device; each edge is there in both directions."""

    offsets: Tensor  # int64 [N + 1]: node n has the neighbours [offset n, offset n + 1)
    neighbours: Tensor  # int64 [2 E]: positions of nodes, rising within a node; no self loops, none twice
    degrees: Tensor  # int64 [N]: number of neighbours
    encodings: Tensor  # float32 [N, k]: chance of a random walk to be back after 1 ... k steps
    vectors: Tensor | None = None  # float32 [N, d], what the source says of nodes; None: nothing

    reads_all = True  # a pass for some nodes costs as much as one for all, see `PreparedDataset.passes`

    def __len__(self) -> int:
        """Number of nodes."""
        return len(self.degrees)

    @property
    def n_nodes(self) -> int:
        """Number of nodes, for encoders that learn something of each."""
        return len(self)

    @property
    def n_features(self) -> int:
        """How many numbers the source gives of a node."""
        return 0 if self.vectors is None else self.vectors.shape[1]

    @cached_property
    @torch.inference_mode(False)  # else training could not use what a prediction had asked for first
    def adjacency(self) -> Adjacency:
        """The graph with an edge from each node to itself, before its other neighbours."""
        n, device = len(self), self.offsets.device
        starts = self.offsets + torch.arange(n + 1, device=device)
        neighbours = self.neighbours.new_empty(len(self.neighbours) + n)
        neighbours[starts[:-1]] = torch.arange(n, device=device)
        receiver = torch.repeat_interleave(self.degrees)
        neighbours[torch.arange(len(receiver), device=device) + receiver + 1] = self.neighbours
        return Adjacency(neighbours, starts)

    @cached_property
    @torch.inference_mode(False)
    def standard_degrees(self) -> Tensor:
        """Logarithm of 1 + degree, float32 [N, 1], with mean 0 and deviation 1."""
        return _standardised(self.degrees[:, None].float().log1p())

    @cached_property
    @torch.inference_mode(False)
    def standard_encodings(self) -> Tensor:
        """The encodings with mean 0 and deviation 1 in each column, float32 [N, k]."""
        return _standardised(self.encodings)

    def batch(self, rows: Tensor) -> "NodeBatch":
        """Return the graph with the nodes at positions `rows`, int64 [B]."""
        return NodeBatch(self, rows)


@dataclass(frozen=True)
class NodeBatch:
    """B nodes that are asked for, in their graph."""

    graph: NodeGraph
    rows: Tensor  # int64 [B]: positions of the nodes

    def __len__(self) -> int:
        """Number of nodes that are asked for."""
        return len(self.rows)


def _standardised(values: Tensor) -> Tensor:
    """Return values [N, k] less their column's mean, divided by its deviation where it has one."""
    spread = values.std(0, correction=0)
    return (values - values.mean(0)) / torch.where(spread > 0, spread, 1.0)
