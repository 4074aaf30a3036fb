"""The hidden layers of an MLP on every pair of an item and a column of tasks, in bounded memory.

A column is a task, or a direction of a related pair (eq. 4 of SGNN-EBM). The first layer reads a
concatenation, so it is a map of the item plus a map of the column, and over the full grid of B items
and C columns its mean and variance are the sums of theirs. Its outputs are made a chunk of columns at a
time, and made again for the derivative; what is kept of the grid is the second layer before its activation.
What follows the second layer is linear, so it is summed over the columns of a task here, and mapped after.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from relatask.methods.sgnn.windows import Windows
from relatask.nn.kernels import linear, segment_sum

EPS = 1e-5  # of batch norm, as torch's
CHUNK = {"cpu": 2**19, "cuda": 2**26}  # values of the first layer made at a time: a core's share of cache
LEAST_CELLS = 2048  # of a chunk, below which products slow down


@dataclass(frozen=True)
class Columns:
    """C columns in rising order of the task, one of T, that each is summed for."""

    owner: Tensor  # int64 [C]
    n_tasks: int

    def offsets(self, start: int, stop: int) -> tuple[int, Tensor]:
        """Return the first task of some columns, and where each task begins and the last ends."""
        owner = self.owner[start:stop]
        first = int(owner[0])
        return first, F.pad(torch.bincount(owner - first).cumsum(0), (1, 0))


@dataclass(frozen=True)
class Layout:
    """How a grid is walked through, and what is random on the way."""

    columns: Columns
    dtype: torch.dtype  # of products and of what is kept
    normalise: bool  # by the grid's own mean and variance
    hidden: Windows  # dropout of the first layer
    output: Windows  # and of the second

    def parts(self, batch: int, width: int, device: torch.device) -> list[tuple[int, int]]:
        """Return (start, stop) of the columns in each chunk."""
        count = len(self.columns.owner)
        cells = max(LEAST_CELLS, CHUNK.get(device.type, CHUNK["cuda"]) // width)
        step = max(1, cells // batch)
        return [(start, min(start + step, count)) for start in range(0, count, step)]


class GridSum(Function):
    """Second hidden layer, summed over the columns of each task, and linear readings of every column.

    With u the items and v the columns, h = relu(u_b + v_c) and y = relu(scale * (W h) + shift); where the
    layout says so, W h is normalised before.
    """

    @staticmethod
    def forward(
        ctx: Any,
        items: Tensor,
        columns: Tensor,
        weight: Tensor,
        scale: Tensor,
        shift: Tensor,
        heads: Tensor | None,
        layout: Layout,
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Map items [B, k] and columns [C, k] by weight [m, k].

        Args:
            ctx: of autograd.
            items: u.
            columns: v.
            weight: W.
            scale: [m].
            shift: [m].
            heads: [q, m], or None.
            layout: of the grid.

        Returns:
            sums [T, B, m]; readings [C, B, q] or None; mean and variance [m] of W h, where normalised.
        """
        grid = _Grid(items, columns, weight, layout)
        keep = any(ctx.needs_input_grad)
        normed = layout.normalise
        before = []
        mean = variance = scale.new_zeros(len(scale))
        if normed:
            before = [grid.second(grid.first(part)) for part in grid.parts]
            mean, variance = _moments(before, grid.n_cells)
        invstd = (variance + EPS).rsqrt() if normed else torch.ones_like(scale)
        ctx.affine = (scale * invstd, shift - mean * scale * invstd)
        sums = scale.new_zeros(layout.columns.n_tasks, *grid.shape)
        cast = None if heads is None else heads.to(layout.dtype)
        read = None if cast is None else cast.new_empty(len(columns), len(items), len(cast))
        for number, part in enumerate(grid.parts):
            if not normed:
                values = grid.second(grid.first(part))
                if keep:
                    before.append(values)
            else:
                values = before[number]
            y = layout.output.apply_(grid.affine(values, *ctx.affine).relu_(), part)
            grid.add_to(sums, y, part)
            if read is not None and cast is not None:
                read[slice(*part)] = linear(y, cast).view(-1, len(items), len(cast))
        ctx.save_for_backward(items, columns, weight, cast)
        ctx.before, ctx.mean, ctx.invstd, ctx.layout, ctx.scale = (
            before if keep else [],
            mean,
            invstd,
            layout,
            scale,
        )
        ctx.mark_non_differentiable(mean, variance)
        return sums, read, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, sums: Tensor, read: Tensor | None, *_: Any) -> tuple[Tensor | None, ...]:
        """Go over the grid twice: for the sums that batch norm's derivative needs, then for the products."""
        items, columns, weight, heads = ctx.saved_tensors
        layout: Layout = ctx.layout
        grid = _Grid(items, columns, weight, layout)
        slope, offset = ctx.affine
        first = second = torch.zeros_like(slope, dtype=torch.float64)
        d_heads = None if heads is None else torch.zeros_like(heads, dtype=slope.dtype)
        sums = sums.to(layout.dtype).flatten(1)

        def after(number: int, part: tuple[int, int]) -> Tensor:
            """Gradient of the affine map's output; also adds to that of the heads in the first round."""
            y = grid.affine(ctx.before[number], slope, offset)
            grad = sums.index_select(0, layout.columns.owner[slice(*part)]).view(y.shape)
            if heads is not None and read is not None:
                grad.addmm_(read[slice(*part)].to(layout.dtype).flatten(0, 1), heads)
            return torch.ops.aten.threshold_backward(layout.output.apply_(grad, part), y, 0)

        for number, part in enumerate(grid.parts):
            grad, values = after(number, part), ctx.before[number]
            first = first + _total(grad)
            second = second + _total(grad * values)
            if d_heads is not None and read is not None:
                y = layout.output.apply_(grid.affine(values, slope, offset).relu_(), part)
                d_heads += read[slice(*part)].to(layout.dtype).flatten(0, 1).t() @ y
        d_scale = ctx.invstd * (second - ctx.mean * first)
        d_shift = first
        bend = level = None
        if layout.normalise:
            bend = -slope * ctx.invstd * d_scale / grid.n_cells
            level = -slope * first / grid.n_cells - bend * ctx.mean
        d_weight, d_molecules = torch.zeros_like(weight), torch.zeros_like(items)
        d_columns = torch.empty_like(columns)
        for number, part in enumerate(grid.parts):
            grad = after(number, part).mul_(slope.to(layout.dtype))
            if bend is not None and level is not None:
                grad += grid.affine(ctx.before[number], bend, level)
            hidden = grid.first(part)
            d_weight += grad.t() @ hidden
            d_hidden = torch.ops.aten.threshold_backward(linear(grad, grid.weight.t()), hidden, 0)
            d_hidden = d_hidden.view(-1, len(items), weight.shape[1])
            d_columns[slice(*part)] = d_hidden.sum(1)
            d_molecules += d_hidden.sum(0)
        kind = ctx.scale.dtype
        return d_molecules, d_columns, d_weight, d_scale.to(kind), d_shift.to(kind), d_heads, None


class _Grid:
    """The parts of both directions: chunks of the grid as matrices with a row for each cell."""

    def __init__(self, items: Tensor, columns: Tensor, weight: Tensor, layout: Layout):
        self.layout = layout
        self.items, self.columns, self.weight = (x.to(layout.dtype) for x in (items, columns, weight))
        self.n_cells = len(items) * len(columns)
        self.shape = (len(items), len(weight))
        self.parts = layout.parts(len(items), weight.shape[1], items.device)

    def first(self, part: tuple[int, int]) -> Tensor:
        """Outputs of the first layer, [cells, k]."""
        hidden = self.columns[slice(*part), None] + self.items
        return self.layout.hidden.apply_(hidden.flatten(0, 1).relu_(), part)

    def second(self, hidden: Tensor) -> Tensor:
        return linear(hidden, self.weight)

    def affine(self, values: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
        return torch.addcmul(offset.to(values.dtype), values, slope.to(values.dtype))

    def add_to(self, sums: Tensor, y: Tensor, part: tuple[int, int]) -> None:
        """Add a chunk's outputs to the sums of their tasks."""
        start, stop = part
        first, offsets = self.layout.columns.offsets(start, stop)
        order = torch.arange(stop - start, device=y.device)
        total = segment_sum(y.view(stop - start, -1), order, offsets)
        sums[first : first + len(total)] += total.view(len(total), *self.shape)


def _total(values: Tensor) -> Tensor:
    """Sum over rows, added up beyond a chunk in float64."""
    return values.sum(0, dtype=torch.promote_types(values.dtype, torch.float32)).double()


def _moments(chunks: list[Tensor], count: int) -> tuple[Tensor, Tensor]:
    """Return mean and variance over the rows of all chunks."""
    kind = torch.promote_types(chunks[0].dtype, torch.float32)
    mean = torch.stack([_total(values) for values in chunks]).sum(0) / count
    square = torch.stack([_total(values.to(kind).square()) for values in chunks]).sum(0) / count
    return mean.to(kind), (square - mean.square()).clamp(min=0).to(kind)
