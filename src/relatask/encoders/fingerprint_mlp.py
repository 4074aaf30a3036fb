"""A multilayer perceptron on ECFP bits."""

import torch
from torch import Tensor, nn

CAPABILITIES = {
    "summary": "multilayer perceptron on 2,048 ECFP4 bits",
    "label": "MLP",
    "inputs": ("ecfp",),
    "microseconds": 30.0,
    "options": {"width": 512, "layers": 2, "dropout": 0.2},
}
N_BITS = 2048


class FingerprintMLP(nn.Module):
    """Linear, ReLU, dropout, so many times: bits [B, 2048] -> [B, width]."""

    def __init__(self, width: int, layers: int, dropout: float):
        super().__init__()
        self.width = width
        sizes = [N_BITS] + [width] * layers
        self.layers = nn.ModuleList(nn.Linear(sizes[k], sizes[k + 1]) for k in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Encode float bits [B, 2048] as [B, width]."""
        for layer in self.layers:
            x = self.dropout(torch.relu(layer(x)))
        return x


def build(width: int = 512, layers: int = 2, dropout: float = 0.2) -> FingerprintMLP:
    """Return the encoder, initialised from torch's global generator."""
    return FingerprintMLP(width, layers, dropout)
