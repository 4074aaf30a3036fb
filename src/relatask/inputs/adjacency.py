"""The matrix by which graph convolutions sum states over neighbours."""

import torch
from torch import Tensor


class Adjacency:
    """Neighbours of N nodes, themselves included, grouped by the node that receives, and their weights.

    A weight is 1 / sqrt(d_i d_j), d the number of neighbours of both ends (Kipf and Welling, 2017, eq. 2).

    Args:
        neighbours: int [E + N].
        offsets: int [N + 1]; node n receives from neighbours [offsets[n], offsets[n + 1]).
    """

    def __init__(self, neighbours: Tensor, offsets: Tensor):
        self.neighbours, self.offsets = neighbours, offsets
        degrees = offsets.diff()
        scale = degrees.to(torch.float32).rsqrt()
        self.receivers = torch.repeat_interleave(degrees)  # int64 [E + N]
        self.weights = scale[neighbours.long()] * scale[self.receivers]  # float32 [E + N]
