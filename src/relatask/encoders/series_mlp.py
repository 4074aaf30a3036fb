"""A multilayer perceptron on the last values of all series."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from relatask.nn.contract import Encoder

CAPABILITIES = {
    "summary": "multilayer perceptron on a window of all series",
    "label": "series MLP",
    "inputs": ("series",),
    "microseconds": 12.0,
    "cost_options": ("width",),
    "twice_differentiable": True,
    "options": {"series": 7, "window": 96, "width": 128, "layers": 2, "dropout": 0.05},
    "limits": {
        "series": (1, 100_000),
        "window": (1, 100_000),
        "width": (1, 100_000),
        "layers": (1, 100),
        "dropout": (0.0, 0.99),
    },
    "space": {
        "width": {"least": 32, "greatest": 512, "log": True},
        "layers": {"least": 1, "greatest": 4},
        "dropout": {"least": 0.0, "greatest": 0.3},
    },
}


class SeriesMLP(Encoder):
    """Linear, ReLU, dropout, so many times: a window [B, window, series] -> [B, width].

    It reads how each series differs from its last value, so that a level that was never seen is no stranger.
    """

    def __init__(self, series: int, window: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.width, self.dropout = width, dropout
        sizes = [series * window, *[width] * layers]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))

    def states(self, x: Tensor) -> Tensor:
        """Return the last hidden units [B, width] of windows [B, window, series], their own parts."""
        y = (x - x[:, -1:]).flatten(1)
        for layer in self.layers:
            y = F.dropout(F.relu(layer(y)), self.dropout, self.training)
        return y

    def pool(self, states: Tensor, x: Tensor) -> Tensor:
        """Return the states as float32 [B, width]."""
        return states.float()


def build(
    series: int = 7, window: int = 96, width: int = 128, layers: int = 2, dropout: float = 0.05
) -> SeriesMLP:
    """Return the encoder, initialised from torch's global generator."""
    return SeriesMLP(series, window, width, layers, dropout)
