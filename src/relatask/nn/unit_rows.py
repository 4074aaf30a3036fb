"""ReLU, a residual and rows of length 1 in one operation with first and second derivatives written out.

By torch's own operations the second derivative of a row's length alone is some thirty of them.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

LEAST = 1e-12  # of a length, as torch's normalize


class UnitRows(Function):
    """y = r / |r| of each row of r = ReLU(z) + h; h is 0 where it is None."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, h: Tensor | None) -> Tensor:
        """Return rows of length 1, [N, k]."""
        r = z.relu()
        if h is not None:
            r.add_(h)
        inverse = torch.linalg.vector_norm(r, dim=1, keepdim=True).clamp_(min=LEAST).reciprocal_()
        y = r.mul_(inverse)
        ctx.save_for_backward(z, h, y, inverse)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None]:
        """d r = (g - y (y.g)) / |r|, and behind it the mask of ReLU."""
        z, h, y, inverse = ctx.saved_tensors
        of_r = Projected.apply(grad, z, h, y, inverse)
        return of_r * (z > 0), of_r if h is not None else None


class Projected(Function):
    """The gradient of `UnitRows` by r, as a function of g and of r, so of z and h."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, z: Tensor, h: Tensor | None, y: Tensor, inverse: Tensor) -> Tensor:
        """Return (g - y (y.g)) / |r|, [N, k]."""
        along = torch.linalg.vecdot(y, grad)[:, None]
        ctx.save_for_backward(grad, z, y, inverse, along)
        ctx.adds = h is not None
        return torch.addcmul(grad, y, along, value=-1).mul_(inverse)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None, None]:
        """By g it is P u / |r| with P = 1 - y y', and by r - ((y.g) P u + (y.u) P g + y (u P g)) / |r|^2."""
        grad, z, y, inverse, along = ctx.saved_tensors
        across = torch.linalg.vecdot(y, u)[:, None]
        of_grad = torch.addcmul(u, y, across, value=-1).mul_(inverse)
        projected = torch.addcmul(grad, y, along, value=-1)
        product = torch.linalg.vecdot(u, projected)[:, None].mul_(inverse)
        of_r = (
            (of_grad * along).addcmul_(projected, across * inverse).addcmul_(y, product).mul_(inverse).neg_()
        )
        return of_grad, of_r * (z > 0), of_r if ctx.adds else None, None, None
