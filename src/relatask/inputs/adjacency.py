"""The matrix by which graph convolutions sum states over neighbours."""

import torch
from torch import Tensor


class Adjacency:
    """Neighbours of N nodes, themselves included, grouped by the node that receives, and their weights.

    A weight is 1 / sqrt(d_i d_j), d the number of neighbours of both ends (Kipf and Welling, 2017, eq. 2).

    Args:
        neighbours: int [E + N].
        offsets: int [N + 1]; node n receives from neighbours [offsets[n], offsets[n + 1]).
        dtype: of the weights.
    """

    def __init__(self, neighbours: Tensor, offsets: Tensor, dtype: torch.dtype = torch.float32):
        self.neighbours, self.offsets = neighbours, offsets
        degrees = offsets.diff()
        scale = degrees.to(dtype).rsqrt()
        self.receivers = torch.repeat_interleave(degrees)  # int64 [E + N]
        self.weights = scale[neighbours.long()] * scale[self.receivers]  # [E + N]

    @classmethod
    def with_loops(
        cls, source: Tensor, receiver: Tensor, n_nodes: int, dtype: torch.dtype = torch.float32
    ) -> "Adjacency":
        """Return the matrix of edges that have no self loops, with one of each node before its neighbours.

        Args:
            source: int64 [E], where edges begin, each there in both directions.
            receiver: int64 [E], rising, where they end.
            n_nodes: N.
            dtype: of the weights.
        """
        degrees = torch.bincount(receiver, minlength=n_nodes) + 1
        offsets = torch.cat([degrees.new_zeros(1), degrees.cumsum(0)])
        neighbours = source.new_empty(len(source) + n_nodes)
        neighbours[offsets[:-1]] = torch.arange(n_nodes, device=source.device)
        neighbours[torch.arange(len(source), device=source.device) + receiver + 1] = source
        return cls(neighbours, offsets, dtype)
