"""Weighted sums over the neighbours of nodes, which can be differentiated as often as one likes."""

from typing import Any

from torch import Tensor
from torch.autograd.function import Function

from relatask.inputs.adjacency import Adjacency
from relatask.nn.kernels import segment_sum


class WeightedSum(Function):
    """A symmetric sparse matrix times [N, k], one pass over memory: its derivative is itself."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, neighbours: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
        """Sum weights times rows of states over a node's neighbours, of node n [offset n, offset n + 1)."""
        ctx.save_for_backward(neighbours, offsets, weights)
        return segment_sum(states.contiguous(), neighbours, offsets, weights=weights)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        """Each edge is there in both directions with one weight, so the sum is its own transpose."""
        return WeightedSum.apply(grad, *ctx.saved_tensors), None, None, None


def weighted_sum(states: Tensor, graph: Adjacency) -> Tensor:
    """Return the weighted sum of states [N, k] over each node's neighbours."""
    weights = graph.weights.to(states.dtype)
    summed: Tensor = WeightedSum.apply(states, graph.neighbours, graph.offsets, weights)
    return summed
