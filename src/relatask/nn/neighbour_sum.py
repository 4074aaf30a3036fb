"""Sums over the neighbours of nodes, which can be differentiated as often as one likes."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from relatask.nn.kernels import segment_sum


class NeighbourSum(Function):
    """A symmetric sparse matrix times [N, k], one pass over memory: its derivative is itself."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, neighbours: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
        """Sum weights times rows of states over a node's neighbours, of node n [offset n, offset n + 1)."""
        ctx.save_for_backward(neighbours, offsets, weights)
        return segment_sum(states.contiguous(), neighbours, offsets, weights=weights)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        """The same sum of the gradient [N, k]."""
        return NeighbourSum.apply(grad, *ctx.saved_tensors), None, None, None


class Propagation:
    """The adjacency of N nodes with self loops, normalised by both ends' degrees (Kipf and Welling, 2017).

    Args:
        source: int64 [E], where edges begin, each there in both directions, without self loops.
        receiver: int64 [E], rising, where they end.
        n_nodes: N.
        dtype: of states.
    """

    def __init__(self, source: Tensor, receiver: Tensor, n_nodes: int, dtype: torch.dtype = torch.float32):
        own = torch.arange(n_nodes, device=source.device)
        degrees = torch.bincount(receiver, minlength=n_nodes) + 1
        self.offsets = torch.cat([degrees.new_zeros(1), degrees.cumsum(0)])
        self.neighbours = source.new_empty(len(source) + n_nodes)
        first = self.offsets[:-1]
        self.neighbours[first] = own
        self.neighbours[torch.arange(len(source), device=source.device) + receiver + 1] = source
        scale = degrees.double().rsqrt()
        receivers = torch.repeat_interleave(degrees)
        self.weights = (scale[self.neighbours] * scale[receivers]).to(dtype)

    def times(self, states: Tensor) -> Tensor:
        """Return D^-1/2 (A + I) D^-1/2 times states [N, k]."""
        summed: Tensor = NeighbourSum.apply(
            states, self.neighbours, self.offsets, self.weights.to(states.dtype)
        )
        return summed
