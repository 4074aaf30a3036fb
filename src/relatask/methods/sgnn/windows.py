"""Dropout for chunks of a large grid: windows of one stretch of draws, so that they can be made again.

Fresh draws for every value would cost as much as the products in bf16, twice, since the derivative needs them
again. Within a chunk all values are dropped independently; another chunk sees the same draws shifted by a
random number of places, that is, at other items, columns and units.
"""

import torch
from torch import Tensor

from relatask.nn.kernels import keep_mask, keep_threshold

STRETCH = 2  # lengths of the largest chunk


class Windows:
    """Masks of 0 and 1 for the chunks of one forward pass; the same chunk gets the same mask again.

    The factor 1 / (1 - p) of what is kept is `scale`; the caller puts it where it costs nothing.
    """

    def __init__(self, dropout: float, training: bool):
        self.threshold, self.scale = keep_threshold(dropout if training else 0.0)
        self.stretch: Tensor | None = None
        self.starts: dict[tuple[int, int], int] = {}

    def apply_(self, values: Tensor, part: tuple[int, int]) -> Tensor:
        """Set what is dropped of a chunk's values to zero, in place; the first chunk must be the largest."""
        if not self.threshold:
            return values
        return values.mul_(self._mask(values, part))

    def _mask(self, values: Tensor, part: tuple[int, int]) -> Tensor:
        if self.stretch is None:
            self.stretch = keep_mask(values.new_empty(STRETCH * values.numel()), self.threshold)
        if part not in self.starts:
            places = self.stretch.numel() - values.numel() + 1
            self.starts[part] = int(torch.randint(places, ()))
        start = self.starts[part]
        return self.stretch[start : start + values.numel()].view(values.shape)
