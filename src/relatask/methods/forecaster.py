"""A shared encoder of a window and one linear head per series that forecasts its next values.

What MTG-Net's gains on ETTm1 are made of, with a small network in the place of Autoformer (section 4.1): all
series are read, those of the task set are forecast and have the loss, mean squared error.
"""

import torch
from torch import Tensor, nn

from relatask.nn.contract import Encoder, TaskContext

CAPABILITIES = {
    "summary": "one encoder for all series, one linear head each for the values ahead",
    "label": "forecaster",
    "paper": "mtg_net",
    "loop": "forecasting",
    "label_kinds": ("values",),
    "cost_in_tasks": "O(1)",
    "options": {"horizon": 24},
    "limits": {"horizon": (1, 10_000)},
}


class Forecaster(nn.Module):
    """Encoder, then a linear head per series: windows of B items -> changes ahead [B, H, T].

    A series starts from the same head whichever series it is learned with.
    """

    def __init__(self, encoder: Encoder, context: TaskContext, horizon: int):
        super().__init__()
        self.encoder, self.horizon = encoder, horizon
        bound = encoder.width**-0.5  # as nn.Linear
        draws = []
        for task in context.task_ids:
            generator = torch.Generator().manual_seed(context.seed_of(task))
            shape = (horizon, encoder.width + 1)
            draws.append(torch.empty(shape).uniform_(-bound, bound, generator=generator))
        heads = torch.stack(draws, 1)  # [H, T, width + 1]
        self.weight = nn.Parameter(heads[..., :-1].flatten(0, 1).contiguous())
        self.bias = nn.Parameter(heads[..., -1].flatten().contiguous())

    def forward(self, x: object) -> Tensor:
        """Return how far each value ahead is from the last one that is known."""
        changes = nn.functional.linear(self.encoder(x), self.weight, self.bias)
        return changes.unflatten(1, (self.horizon, -1))

    def losses(self, changes: Tensor, targets: Tensor) -> Tensor:
        """Return each series' mean squared error, [T], of changes and targets [B, H, T]."""
        return (changes - targets).square().mean((0, 1))


def build(encoder: Encoder, context: TaskContext, horizon: int = 24) -> Forecaster:
    """Return the model around `encoder`."""
    return Forecaster(encoder, context, horizon)
