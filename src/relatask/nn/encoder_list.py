"""Several encoders of any kind that are read one by one, for those that have no pass for all together."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from relatask.nn.contract import Between, Encoder, TaskEncoders


class EncoderList(TaskEncoders):
    """T encoders, each read by itself; `between` is called once, after the last layer."""

    depth = 1

    def __init__(self, encoders: Sequence[Encoder]):
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self.width = encoders[0].width

    @property
    def state_width(self) -> int:
        """The width w of states."""
        return self._own()[0].state_width

    def states(self, x: Any, between: Between | None = None) -> Tensor:
        """Return the states [N, T, w] of the parts of B items in each encoder."""
        states = torch.stack([encoder.states(x) for encoder in self._own()], 1)
        return states if between is None else between(0, states)

    def pool(self, states: Tensor, x: Any) -> Tensor:
        """Return the embeddings, float32 [B, T, width], of items whose parts have `states` [N, T, w]."""
        own = zip(self._own(), states.unbind(1), strict=True)
        return torch.stack([encoder.pool(state.contiguous(), x) for encoder, state in own], 1)

    def _own(self) -> list[Encoder]:
        return [encoder for encoder in self.encoders if isinstance(encoder, Encoder)]
