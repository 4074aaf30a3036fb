"""Graph convolutions with layer norm of T networks over one graph, read in one pass.

Layer l of network t is dropout(ReLU(LayerNorm(A X W_tl + b_tl))), A the adjacency with self loops that is
normalised by both ends' degrees (Kipf and Welling, 2017, eq. 2); the norm is that of L2T-MITTEN, appendix
B.1. The states of all networks lie beside each other in a node's row, so that the graph is read once for all.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from relatask.inputs.adjacency import Adjacency
from relatask.nn.contract import Between
from relatask.nn.neighbour_sum import weighted_sum

EPSILON = 1e-5  # of layer norm, as torch's


def neighbour_sums(states: Tensor, graph: Adjacency, plain: bool = False) -> Tensor:
    """Return the weighted sum of states [N, T, w] over each node's neighbours.

    Args:
        states: of the nodes.
        graph: of the nodes.
        plain: whether by operations that have second derivatives.
    """
    if plain:
        weights = graph.weights.to(states.dtype)
        messages = states[graph.neighbours.long()] * weights[:, None, None]
        return torch.zeros_like(states).index_add(0, graph.receivers, messages)
    return weighted_sum(states.flatten(1), graph).view_as(states)


class TaskLinear(nn.Module):
    """T linear maps with weights [T, k, m] and, if wanted, biases [T, m]: [N, T, k] -> [N, T, m]."""

    def __init__(self, n_tasks: int, n_in: int, n_out: int, bias: bool = True):
        super().__init__()
        bound = (6 / (n_in + n_out)) ** 0.5  # Glorot and Bengio (2010), as torch-geometric's GCNConv
        self.weight = nn.Parameter(torch.empty(n_tasks, n_in, n_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(n_tasks, n_out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, T, k] to [N, T, m]."""
        y = torch.bmm(x.transpose(0, 1), self.weight).transpose(0, 1)
        return y if self.bias is None else y + self.bias


class TaskLayerNorm(nn.Module):
    """Layer norm over the last axis of [N, T, w], with weights and biases [T, w] (Ba et al., 2016)."""

    def __init__(self, n_tasks: int, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_tasks, width))
        self.bias = nn.Parameter(torch.zeros(n_tasks, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return [N, T, w] of the same shape."""
        return torch.addcmul(self.bias, F.layer_norm(x, x.shape[-1:]), self.weight)


class LinearNorm(Function):
    """ReLU(LayerNorm(x W + b)) of T networks, its derivative written out: fewer passes over memory.

    Layer norm takes away the mean over features, so W and b may be without it from the start. What is left of
    the norm is a division by the deviation, and the output's sign is the mask of ReLU.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, norm_weight: Tensor, norm_bias: Tensor
    ) -> Tensor:
        """Map [N, T, k] with centred weights [T, k, w] and biases [T, w] to [N, T, w]."""
        y = torch.baddbmm(bias[:, None], x.transpose(0, 1), weight)  # [T, N, w]
        square = torch.linalg.vector_norm(y, dim=-1, keepdim=True).square_().div_(y.shape[-1])
        scale = square.add_(EPSILON).rsqrt_()
        y.mul_(scale)
        found = y.new_empty(x.shape[0], *y.shape[::2])
        torch.addcmul(norm_bias[:, None], y, norm_weight[:, None], out=found.transpose(0, 1))
        found.relu_()
        ctx.save_for_backward(x, weight, norm_weight, y, scale, found)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        """The gradient [N, T, w] becomes that of each map, in one buffer."""
        x, weight, norm_weight, y, scale, found = ctx.saved_tensors
        own = torch.empty_like(y)  # [T, N, w]
        torch.ops.aten.threshold_backward(grad, found, 0, grad_input=own.transpose(0, 1))
        of_norm_bias = own.sum(1)
        product = own * y
        of_norm_weight = product.sum(1)
        along = torch.bmm(product, norm_weight[..., None]).div_(-y.shape[-1])  # [T, N, 1]
        own.mul_(norm_weight[:, None]).addcmul_(y, along).mul_(scale)
        of_weight = torch.bmm(x.permute(1, 2, 0), own)
        of_x = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        torch.bmm(own, weight.mT, out=of_x.transpose(0, 1))
        return of_x, of_weight, own.sum(1), of_norm_weight, of_norm_bias


class TaskGCN(nn.Module):
    """The layers of T networks: states [N, T, w] -> [N, T, w]."""

    def __init__(self, n_tasks: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.dropout = dropout
        self.linears = nn.ModuleList(TaskLinear(n_tasks, width, width) for _ in range(layers))
        self.norms = nn.ModuleList(TaskLayerNorm(n_tasks, width) for _ in range(layers))

    def forward(
        self, states: Tensor, graph: Adjacency, between: Between | None = None, plain: bool = False
    ) -> Tensor:
        """Return the states after the last layer; after each layer `between` may change them."""
        fused = not plain and not torch.is_autocast_enabled(states.device.type)
        for k, (linear, norm) in enumerate(zip(self.linears, self.norms, strict=True)):
            assert isinstance(linear, TaskLinear)
            assert isinstance(norm, TaskLayerNorm)
            states = neighbour_sums(states.contiguous(), graph, plain)
            states = linear_norm(states, linear, norm) if fused else norm(linear(states)).relu()
            states = F.dropout(states, self.dropout, self.training)
            if between is not None:
                states = between(k, states)
        return states


def linear_norm(states: Tensor, linear: TaskLinear, norm: TaskLayerNorm) -> Tensor:
    """Return relu(norm(linear(states))) of states [N, T, w]."""
    assert linear.bias is not None
    weight, bias = (value - value.mean(-1, keepdim=True) for value in (linear.weight, linear.bias))
    found: Tensor = LinearNorm.apply(states, weight, bias, norm.weight, norm.bias)
    return found
