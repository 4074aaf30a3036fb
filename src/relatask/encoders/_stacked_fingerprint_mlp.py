"""Perceptrons of several runs side by side, fed the same bits.

Their first layers are one layer that is as wide as all of them together, so bits are looked up once for all;
the layers behind it are batched products.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from relatask.encoders.fingerprint_mlp import BitSum, FingerprintMLP, ReLUDropout


class StackedFingerprintMLP(nn.Module):
    """R encoders of one shape: bits [B, 2048] -> [R, B, width].

    It owns a copy of their first weights; all other parameters are their own.
    """

    def __init__(self, encoders: Sequence[FingerprintMLP]):
        super().__init__()
        self.runs, self.width, self.dropout = len(encoders), encoders[0].width, encoders[0].dropout
        self.weight = nn.Parameter(torch.cat([encoder.weight.detach() for encoder in encoders], 1))
        self.biases = nn.ParameterList(encoder.bias for encoder in encoders)
        self.layers = nn.ModuleList(encoder.layers for encoder in encoders)

    def forward(self, x: Tensor) -> Tensor:
        """Encode bits [B, 2048] by every run's encoder as float32 [R, B, width]."""
        dropout = self.dropout if self.training else 0.0
        y = BitSum.apply(self.weight, x) if x.device.type == "cpu" else x @ self.weight
        y = y.view(len(x), self.runs, self.width).transpose(0, 1).contiguous()
        y = ReLUDropout.apply(y + torch.stack(list(self.biases))[:, None], dropout)
        for layers in zip(*self.layers, strict=True):
            y = ReLUDropout.apply(_linear(y, layers), dropout)
        return y

    def state_of(self, run: int) -> dict[str, Tensor]:
        """Return a copy of the state of one run's encoder, under its own names."""
        state = {
            "weight": self.weight.detach().view(len(self.weight), self.runs, self.width)[:, run],
            "bias": self.biases[run].detach(),
            **{f"layers.{name}": value for name, value in self.layers[run].state_dict().items()},
        }
        return {name: value.clone(memory_format=torch.contiguous_format) for name, value in state.items()}


def _linear(y: Tensor, layers: Sequence[nn.Linear]) -> Tensor:
    """Map [R, B, k] by each run's layer to [R, B, m].

    On CPU one by one: the last bits of a batched product depend on how many runs there are.
    """
    if y.device.type == "cpu":
        return torch.stack([layer(state) for layer, state in zip(layers, y.unbind(), strict=True)])
    weight, bias = torch.stack([one.weight for one in layers]), torch.stack([one.bias for one in layers])
    return torch.baddbmm(bias[:, None], y, weight.mT)


def stack(encoders: Sequence[FingerprintMLP]) -> StackedFingerprintMLP:
    """Return the encoders side by side, in their state of now."""
    return StackedFingerprintMLP(encoders)
