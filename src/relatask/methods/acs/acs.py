"""Adaptive checkpointing with specialization, ACS (Eraqi et al., Communications Chemistry 2025, 8:201).

One run trains a shared encoder with a head for each task; each task then keeps encoder and head of the epoch
that was best for it on validation, so a task that others harm later does not pay for them. A run without
validation labels of a task gives it the epoch that is best in the mean over tasks, as for a shared bottom.

What the paper does besides is no part of the scheme, and is chosen here as for every method: its
message-passing network with a perceptron for each task (here any encoder and linear heads), and its loss, of
which the least on validation selects (here the value that the loop compares epochs by, such as ROC-AUC).
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from relatask.methods.shared_bottom import SharedBottom
from relatask.nn.contract import TaskContext, task_linear

CAPABILITIES = {
    "summary": "one shared run, of which each task keeps the epoch that was best for it",
    "label": "ACS",
    "paper": "eraqi_2025",
    "loop": "own_epochs",
    "cost_in_tasks": "O(1)",
    "kinds": ("binary", "real", "class"),
    "weights": ("items", "classes", "tasks"),
}


class Specialised(SharedBottom):
    """A shared bottom in training; once trained, K checkpoints of it, of which each task has one.

    x of B items -> outputs [B, C], as a shared bottom. The first checkpoint is the network itself, the K - 1
    others, K at most the number of tasks, exist once weights as `joined` returns them are loaded. Each is one
    more pass through an encoder when the model predicts, none in training.
    """

    checkpoint_of: Tensor  # int64 [C]: of each output, 0 for the network itself

    def __init__(self, context: TaskContext):
        super().__init__(context.encoder(), context)
        self.context = context
        self.others = nn.ModuleList()
        self.register_buffer("checkpoint_of", torch.zeros(self.heads.out_features, dtype=torch.int64))

    def forward(self, x: object) -> Tensor:
        """Return the outputs [B, C]."""
        outputs = super().forward(x)
        for number, other in enumerate(self.others, start=1):
            outputs = torch.where(self.checkpoint_of == number, other(x), outputs)
        return outputs

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Have as many other checkpoints as the state does, before torch loads them."""
        start = f"{prefix}others."
        found = {name.removeprefix(start).split(".")[0] for name in state_dict if name.startswith(start)}
        self.others = nn.ModuleList(self._checkpoint(number) for number in range(len(found)))
        self.others.to(self.checkpoint_of.device)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def _checkpoint(self, number: int) -> nn.Module:
        encoder = self.context.encoder(f"checkpoint {number}")
        heads = task_linear(encoder.width, self.context)
        return nn.Sequential(OrderedDict(encoder=encoder, heads=heads))


def joined(checkpoints: Sequence[dict[str, Tensor]], checkpoint_of: Tensor) -> dict[str, Tensor]:
    """Return the state of a `Specialised` from its K states in training.

    Args:
        checkpoints: as its `state_dict` has it in training.
        checkpoint_of: int64 [C], the position of each output's checkpoint.
    """
    state = {**checkpoints[0], "checkpoint_of": checkpoint_of}
    for number, own in enumerate(checkpoints[1:]):
        parts = (name for name in own if name.startswith(("encoder.", "heads.")))
        state |= {f"others.{number}.{name}": own[name] for name in parts}
    return state


def build(context: TaskContext) -> Specialised:
    """Return the network."""
    return Specialised(context)
