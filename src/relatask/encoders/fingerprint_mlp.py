"""A multilayer perceptron on ECFP bits."""

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from relatask.nn.contract import Encoder
from relatask.nn.kernels import keep_mask, keep_threshold, segment_sum

CAPABILITIES = {
    "summary": "multilayer perceptron on 2,048 ECFP4 bits",
    "label": "MLP",
    "inputs": ("ecfp",),
    "microseconds": 65.0,
    "cost_options": ("width",),
    # On CPU 16 runs of 128 in a pass take less than half of their time alone; more gain nothing. The width
    # for GPUs is not measured.
    "side_by_side": {"cpu": 2048, "cuda": 8192},
    "twice_differentiable": True,
    "options": {"width": 512, "layers": 2, "dropout": 0.2},
    "limits": {"width": (1, 100_000), "layers": (1, 100), "dropout": (0.0, 0.99)},
    "space": {
        "width": {"least": 64, "greatest": 1024, "log": True},
        "layers": {"least": 1, "greatest": 3},
        "dropout": {"least": 0.0, "greatest": 0.6},
    },
}
N_BITS = 2048


class BitSum(Function):
    """``bits @ weight`` as a sum over the set bits, some 50 of 2,048; a third of the dense product's time."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bits: Tensor) -> Tensor:
        """Sum the rows of weight [n bits, w] where bits [B, n bits] are 1, to [B, w]."""
        rows, columns = bits.nonzero().unbind(1)
        ctx.save_for_backward(rows, columns)
        ctx.n_bits = len(weight)
        return segment_sum(weight, columns, _offsets(rows, len(bits)))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """A bit's weight gets the gradients of the rows that have it."""
        rows, columns = ctx.saved_tensors
        holders = rows[columns.sort(stable=True).indices]
        return segment_sum(grad.contiguous(), holders, _offsets(columns, ctx.n_bits)), None


def _offsets(index: Tensor, n: int) -> Tensor:
    """Return where each of n groups begins once `index` is sorted: int64 [n + 1]."""
    return F.pad(torch.bincount(index, minlength=n).cumsum(0), (1, 0))


class ReLUDropout(Function):
    """ReLU and dropout in one: the output is all that the derivative needs.

    Of x [R, B, w], the states of R runs, each is dropped by the one mask [B, w] that each run draws alone.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dropout: float) -> Tensor:
        """Rectify and drop, in the shape of `x`."""
        threshold, ctx.scale = keep_threshold(dropout)
        y = F.relu(x)
        if threshold:
            y.mul_(keep_mask(y if y.dim() == 2 else y[0], threshold)).mul_(ctx.scale)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Nothing flows back through a zero."""
        (y,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(grad * ctx.scale, y, 0), None


class FingerprintMLP(Encoder):
    """Linear, ReLU, dropout, so many times: bits [B, 2048] -> [B, width]."""

    def __init__(self, width: int, layers: int, dropout: float):
        super().__init__()
        self.width, self.dropout = width, dropout
        bound = N_BITS**-0.5  # as nn.Linear
        self.weight = nn.Parameter(torch.empty(N_BITS, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(width).uniform_(-bound, bound))
        self.layers = nn.ModuleList(nn.Linear(*sizes) for sizes in pairwise([width] * layers))

    def states(self, x: Tensor) -> Tensor:
        """Return the last hidden units [B, width] of bits [B, 2048], each 0 or 1; an item is its own part."""
        dropout = self.dropout if self.training else 0.0
        if self.plain:
            y = F.dropout((x.to(self.weight.dtype) @ self.weight + self.bias).relu(), dropout)
            for layer in self.layers:
                y = F.dropout(layer(y).relu(), dropout)
            return y
        if x.device.type == "cpu":
            y = BitSum.apply(self.weight, x) + self.bias
        else:
            y = x @ self.weight + self.bias  # on a GPU the dense product costs nothing and needs no lists
        y = ReLUDropout.apply(y, dropout)
        for layer in self.layers:
            y = ReLUDropout.apply(layer(y), dropout)
        return y

    def pool(self, states: Tensor, x: Tensor) -> Tensor:
        """Return the states as float32 [B, width]."""
        return states if self.plain else states.float()


def build(width: int = 512, layers: int = 2, dropout: float = 0.2) -> FingerprintMLP:
    """Return the encoder, initialised from torch's global generator."""
    return FingerprintMLP(width, layers, dropout)
