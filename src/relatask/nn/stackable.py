"""Encoders that are made for any number of tasks: one of them, and some of these stacked again."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from relatask.nn.contract import Encoder, TaskEncoders


class Stackable(TaskEncoders):
    """T encoders whose parameters are all [T, ...], built by `type(self)(T, **options)`."""

    options: dict[str, Any]
    plain = False  # as Encoder.plain


class Single(Encoder):
    """One of them: x of B items -> [B, width]."""

    def __init__(self, networks: Stackable):
        super().__init__()
        self.networks = networks
        self.width = networks.width

    @property
    def state_width(self) -> int:
        """The width w of states."""
        return self.networks.state_width

    def states(self, x: Any) -> Tensor:
        """Return the states [N, w] of the parts of B items."""
        self.networks.plain = self.plain
        return self.networks.states(x)[:, 0]

    def pool(self, states: Tensor, x: Any) -> Tensor:
        """Return the embeddings [B, width]."""
        self.networks.plain = self.plain
        return self.networks.pool(states[:, None], x)[:, 0]


def together(encoders: Sequence[Single]) -> Stackable:
    """Return the networks of several encoders as one module, their parameters one after the other."""
    first = encoders[0].networks
    found = type(first)(len(encoders), **first.options)
    states = [encoder.networks.state_dict() for encoder in encoders]
    found.load_state_dict({name: torch.cat([state[name] for state in states]) for name in states[0]})
    return found
