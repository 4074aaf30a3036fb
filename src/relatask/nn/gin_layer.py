"""The parts of a GIN layer, each with its derivative written out, so that no pass over memory is spent twice.

At 300 wide a step is bound by its matrix products; what this file saves is everything else. Sums over
neighbours are one `embedding_bag` call, forward and (the adjacency is symmetric) backward. Batch norm,
ReLU and dropout share one output, which is also all that their derivative needs.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from relatask.inputs.graph_batch import GraphBatch
from relatask.nn.kernels import keep_mask, keep_threshold, linear, segment_sum

ROW_MULTIPLE = 32  # oneDNN compiles a kernel for each new number of rows, so batches share a few


class Padded:
    """What the layers read of a batch, in the precision of the run, filled up with atoms without bonds."""

    def __init__(self, x: GraphBatch, dtype: torch.dtype):
        self.n_atoms = len(x.atoms)
        extra = -self.n_atoms % ROW_MULTIPLE
        self.atoms = x.atoms
        self.neighbours = x.neighbours
        self.offsets = F.pad(x.neighbour_offsets, (0, extra), value=len(x.neighbours))
        self.bond_counts = F.pad(x.bond_counts, (0, 0, 0, extra)).to(dtype)


class NeighbourSum(Function):
    """Sum of states and bond embeddings over an atom's neighbours, the bracket of eq. 15."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, bonds: Tensor, x: Padded) -> Tensor:
        """Sum states [N, w] and bond embeddings [9, w] to [N padded, w]."""
        ctx.x, ctx.kind = x, bonds.dtype
        total = segment_sum(states, x.neighbours, x.offsets)
        return total.addmm_(x.bond_counts, bonds.to(states.dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        """Each bond is stored in both directions, so the sum is its own transpose."""
        x = ctx.x
        states = segment_sum(grad.contiguous(), x.neighbours, x.offsets)[: x.n_atoms]
        return states, (x.bond_counts.t() @ grad).to(ctx.kind), None


class KindSum(Function):
    """The same sum where an atom's state depends only on its kind, so that states are never made."""

    @staticmethod
    def forward(ctx: Any, kinds: Tensor, bonds: Tensor, x: Padded) -> Tensor:
        """Sum rows of kinds [480, w] and bond embeddings [9, w] over neighbours to [N padded, w]."""
        ctx.x, ctx.shape, ctx.kind = x, kinds.shape, bonds.dtype
        total = segment_sum(kinds, x.atoms[x.neighbours], x.offsets)
        return total.addmm_(x.bond_counts, bonds.to(kinds.dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        """Sum over neighbours, then over the atoms of a kind (in fp32: most atoms are of one kind)."""
        x = ctx.x
        states = segment_sum(grad.contiguous(), x.neighbours, x.offsets)[: x.n_atoms]
        kinds = torch.zeros(ctx.shape, device=grad.device).index_add_(0, x.atoms, states.float())
        return kinds.to(grad.dtype), (x.bond_counts.t() @ grad).to(ctx.kind), None


class Linear(Function):
    """Affine map, with or without ReLU; weights of fp32 are cast to the type of the input."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, relu: bool) -> Tensor:
        """Map [n, k] with weight [m, k] and bias [m] to [n, m]."""
        cast = weight.to(x.dtype)
        y = linear(x, cast, None if bias is None else bias.to(x.dtype), relu)
        ctx.save_for_backward(x, cast, y if relu else None)
        ctx.kind, ctx.biased = weight.dtype, bias is not None
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None]:
        """Three products of the forward's size make two; ReLU's mask is read off its output."""
        x, weight, y = ctx.saved_tensors
        if y is not None:
            grad = torch.ops.aten.threshold_backward(grad, y, 0)
        product = grad.t() @ x if grad.shape[1] <= x.shape[1] else (x.t() @ grad).t()  # the faster order
        bias = grad.sum(0).to(ctx.kind) if ctx.biased else None
        return linear(grad, weight.t()), product.to(ctx.kind), bias, None


class NormDropout(Function):
    """Batch norm, ReLU (not after the last layer) and dropout."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        n_atoms: int,
        weight: Tensor,
        bias: Tensor,
        running_mean: Tensor,
        running_var: Tensor,
        training: bool,
        relu: bool,
        dropout: float,
        runs: int = 1,
    ) -> Tensor:
        """Normalise the first N rows of [N padded, w]; the scale 1 / (1 - p) rides on weight and bias.

        With several runs in the columns, each is dropped by the one mask that it would draw alone.
        """
        ctx.n_padding, x = len(x) - n_atoms, x[:n_atoms]
        threshold, scale = keep_threshold(dropout if training else 0)
        scaled = weight * scale
        y, mean, invstd = torch.native_batch_norm(
            x, scaled, bias * scale, running_mean, running_var, training, 0.1, 1e-5
        )
        if relu:
            y.relu_()
        kept = keep_mask(y[:, : y.shape[1] // runs], threshold) if threshold else None
        if kept is not None:
            kept = kept.repeat(1, runs) if runs > 1 else kept
            y.mul_(kept)
        ctx.save_for_backward(x, scaled, running_mean, running_var, mean, invstd, y if relu else kept)
        ctx.training, ctx.relu, ctx.scale = training, relu, scale
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Where ReLU or dropout made a zero nothing flows back, so the output is mask enough."""
        x, scaled, running_mean, running_var, mean, invstd, mask = ctx.saved_tensors
        if ctx.relu:
            grad = torch.ops.aten.threshold_backward(grad, mask, 0)
        elif mask is not None:
            grad = grad * mask
        x, weight, bias = torch.ops.aten.native_batch_norm_backward(
            grad, x, scaled, running_mean, running_var, mean, invstd, ctx.training, 1e-5, [True] * 3
        )
        if ctx.n_padding:
            x = F.pad(x, (0, 0, 0, ctx.n_padding))
        return x, None, weight * ctx.scale, bias * ctx.scale, *[None] * 6


class MoleculeMean(Function):
    """Mean over a molecule's atoms, eq. 16."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, x: GraphBatch) -> Tensor:
        """Average states [N, w] to [B, w]."""
        ctx.x = x
        order = torch.arange(len(states), dtype=torch.int32, device=states.device)
        return segment_sum(states, order, x.molecule_offsets, mode=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Each atom gets its share of its molecule's gradient."""
        sizes = ctx.x.molecule_offsets.diff().clamp(min=1).to(grad.dtype)
        return (grad / sizes[:, None]).index_select(0, ctx.x.molecules), None
