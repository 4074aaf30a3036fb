"""A multilayer perceptron on vectors: those of a source, descriptors, fingerprints, or several together."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from relatask.core.errors import RelataskError
from relatask.nn.contract import Encoder

CAPABILITIES = {
    "summary": "multilayer perceptron on vectors: a source's, descriptors, counts, or several",
    "label": "MLP on vectors",
    "inputs": ("vectors",),
    "microseconds": 12.0,
    "cost_options": ("width",),
    "from_input": ("n_columns",),
    "twice_differentiable": True,
    # features: how many numbers a vector has; 0: as many as those of the input
    "options": {"features": 0, "width": 128, "layers": 1, "dropout": 0.0},
    "limits": {
        "features": (0, 1_000_000),
        "width": (1, 100_000),
        "layers": (1, 100),
        "dropout": (0.0, 0.99),
    },
    "space": {
        "width": {"least": 32, "greatest": 512, "log": True},
        "layers": {"least": 1, "greatest": 3},
        "dropout": {"least": 0.0, "greatest": 0.6},
    },
}


class VectorMLP(Encoder):
    """Linear, ReLU, dropout, so many times: vectors [B, features] -> [B, width]."""

    def __init__(self, features: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.features, self.width, self.dropout = features, width, dropout
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise([features, *[width] * layers]))

    def states(self, x: Tensor) -> Tensor:
        """Return the last hidden units [B, width] of vectors [B, features], their own parts.

        Raises:
            RelataskError: the vectors have another length.
        """
        if x.shape[1] != self.features:
            raise RelataskError(
                f"the vectors have {x.shape[1]} numbers and the encoder mlp reads {self.features}; set "
                f"`features: {x.shape[1]}` in its encoder_options."
            )
        for layer in self.layers:
            x = F.dropout(F.relu(layer(x)), self.dropout, self.training)
        return x

    def pool(self, states: Tensor, x: Tensor) -> Tensor:
        """Return the states as float32 [B, width]."""
        return states.float()


def build(
    features: int = 0, width: int = 128, layers: int = 1, dropout: float = 0.0, n_columns: int = 64
) -> VectorMLP:
    """Return the encoder of vectors of `features` numbers, or `n_columns`, from torch's global generator."""
    return VectorMLP(features or n_columns, width, layers, dropout)
