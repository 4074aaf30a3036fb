"""Sums over the neighbours of nodes, which can be differentiated as often as one likes."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from relatask.nn.kernels import segment_sum


class NeighbourSum(Function):
    """The sum of the rows of [N, k] over each node's neighbours, one pass over memory.

    Each edge is there in both directions, so the sum is its own transpose: its derivative is itself, and so
    is that one's.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, neighbours: Tensor, offsets: Tensor) -> Tensor:
        """Sum states [N, k] over neighbours [E], of node n [offsets n, offsets n + 1)."""
        ctx.save_for_backward(neighbours, offsets)
        return segment_sum(states.contiguous(), neighbours, offsets)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        """The same sum of the gradient [N, k]."""
        neighbours, offsets = ctx.saved_tensors
        return NeighbourSum.apply(grad, neighbours, offsets), None, None


class Propagation:
    """The adjacency of N nodes with self loops, normalised by both ends' degrees (Kipf and Welling, 2017).

    Args:
        source: int64 [E], where edges begin, each there in both directions, without self loops.
        receiver: int64 [E], rising, where they end.
        n_nodes: N.
    """

    def __init__(self, source: Tensor, receiver: Tensor, n_nodes: int):
        degrees = torch.bincount(receiver, minlength=n_nodes)
        self.source = source
        self.offsets = torch.cat([degrees.new_zeros(1), degrees.cumsum(0)])
        self.scale = (degrees + 1).double().rsqrt()[:, None]

    def times(self, states: Tensor) -> Tensor:
        """Return D^-1/2 (A + I) D^-1/2 times states [N, k]."""
        scale = self.scale.to(states.dtype)
        scaled = states * scale
        summed: Tensor = NeighbourSum.apply(scaled, self.source, self.offsets)
        return (summed + scaled) * scale
