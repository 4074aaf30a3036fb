"""The first MLPs of SGNN (eqs. 4, 17) on the grid of items and tasks, or of items and relations."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.methods.sgnn.grid import EPS, Columns, GridSum, Layout
from relatask.methods.sgnn.windows import Windows

MOMENTUM = 0.1  # of running statistics, as torch's batch norm


class GridMLP(nn.Module):
    """Two hidden layers on z(x) ⊕ z^(i) (⊕ z^(j)), each linear, batch norm if wanted, ReLU, dropout.

    Args:
        widths: of the parts that are concatenated, the item's first.
        width: of the second layer; the first has twice as many units.
        dropout: rate.
        batch_norm: over the full grid of items and columns.
    """

    def __init__(self, widths: Sequence[int], width: int, dropout: float, batch_norm: bool):
        super().__init__()
        self.widths, self.dropout = list(widths), dropout
        biased = not batch_norm  # which would take a bias away again
        self.first = nn.Linear(sum(widths), 2 * width, biased)
        self.second = nn.Linear(2 * width, width, biased)
        self.norms = nn.ModuleList(GridNorm(size) for size in (2 * width, width) if batch_norm)

    def forward(
        self, items: Tensor, tasks: Sequence[Tensor], columns: Columns, heads: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return the sums over each task's columns [T, B, width], and readings by `heads` [C, B, q].

        Args:
            items: z(x) [B, item width].
            tasks: for each end of a column, the task's embedding, [C, task width].
            columns: of the grid.
            heads: linear readings of the second hidden layer [q, width].
        """
        device, kind = items.device.type, self.second.weight.dtype
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else kind
        normalise = self._normalises(len(items) * len(columns.owner))
        layout = Layout(columns, dtype, normalise, *(Windows(self.dropout, self.training) for _ in range(2)))
        kept = layout.hidden.scale, layout.output.scale  # ReLU lets factors through
        with torch.autocast(device, enabled=False):
            parts = zip([items, *tasks], self.first.weight.split(self.widths, 1), strict=True)
            u, *ends = [F.linear(part.to(kind), weight) for part, weight in parts]
            u, v = self._first(u, torch.stack(ends).sum(0), normalise)
            weight, scale, shift = self.second.weight, *self._second(normalise)
            heads = None if heads is None else heads.to(kind)
            grid = (u * kept[0], v * kept[0], weight, scale * kept[1], shift * kept[1], heads, layout)
            sums, readings, mean, variance = GridSum.apply(*grid)
            if normalise:
                self._norm(1).remember(mean, variance, len(u) * len(v))
        return sums, readings

    def _normalises(self, n_cells: int) -> bool:
        """Whether the grid's own statistics are used; a single cell has none."""
        return self.training and len(self.norms) > 0 and n_cells > 1

    def _first(self, u: Tensor, v: Tensor, normalise: bool) -> tuple[Tensor, Tensor]:
        """Batch norm of u_b + v_c: the parts are independent over the grid, so their variances add up."""
        if not len(self.norms):
            return u, v + self.first.bias
        norm = self._norm(0)
        if not normalise:
            scale, shift = norm.affine()
            return u * scale, v * scale + shift
        means = u.mean(0), v.mean(0)
        u, v = u - means[0], v - means[1]
        variance = u.square().mean(0) + v.square().mean(0)
        norm.remember(means[0] + means[1], variance, len(u) * len(v))
        scale = norm.weight * (variance + EPS).rsqrt()
        return u * scale, v * scale + norm.bias

    def _second(self, normalise: bool) -> tuple[Tensor, Tensor]:
        """Return scale and shift after the second map, on top of the grid's normalisation if there is one."""
        if not len(self.norms):
            return torch.ones_like(self.second.bias), self.second.bias
        norm = self._norm(1)
        return (norm.weight, norm.bias) if normalise else norm.affine()

    def _norm(self, layer: int) -> "GridNorm":
        norm = self.norms[layer]
        assert isinstance(norm, GridNorm)
        return norm


class GridNorm(nn.Module):
    """Parameters and running statistics of a batch norm, as torch's."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def affine(self) -> tuple[Tensor, Tensor]:
        """Return scale and shift of evaluation."""
        scale = self.weight * (self.running_var + EPS).rsqrt()
        return scale, self.bias - self.running_mean * scale

    @torch.no_grad()
    def remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics to those of `count` cells; the variance becomes the unbiased one."""
        self.running_mean.lerp_(mean, MOMENTUM)
        self.running_var.lerp_(variance * (count / (count - 1)), MOMENTUM)
