"""Graph isomorphism networks of several runs side by side, fed the same molecules.

Their states lie beside each other in the columns, so that sums over neighbours, batch norm and the mean over
atoms are those of one wide network; the linear maps are batched products.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from relatask.encoders.gin import GIN, GINLayer
from relatask.inputs.graph_batch import GraphBatch


class StackedLinear(nn.Module):
    """Weights [R, m, k] and, one after the other, biases [R m] of R affine maps."""

    def __init__(self, layers: Sequence[nn.Linear]):
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        biases = [layer.bias.detach() for layer in layers if layer.bias is not None]
        self.bias = nn.Parameter(torch.cat(biases)) if biases else None


class StackedGINLayer(GINLayer):
    """The layers at one depth of R encoders: states [N, R width]."""

    def __init__(self, layers: Sequence[GINLayer]):
        nn.Module.__init__(self)  # its parameters are those of the layers
        self.runs = len(layers)
        self.up: nn.Module = StackedLinear([layer.up for layer in layers])  # type: ignore[assignment]
        self.down: nn.Module = StackedLinear([layer.down for layer in layers])  # type: ignore[assignment]
        for name in ("bonds", "norm_weight", "norm_bias"):
            setattr(self, name, nn.Parameter(_beside([getattr(layer, name) for layer in layers])))
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, _beside([getattr(layer, name) for layer in layers]))

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Map [n, R k] with weights [R, m, k] to [n, R m]; with biases [R m] also ReLU."""
        if x.device.type == "cpu":  # one by one: the last bits of a batched product depend on R
            biases = [None] * self.runs if bias is None else bias.chunk(self.runs)
            parts = zip(x.chunk(self.runs, 1), weight, biases, strict=True)
            return torch.cat([GINLayer.linear(self, *part) for part in parts], 1)
        return batched_linear(x, weight, bias)


class StackedGIN(GIN):
    """R encoders of one shape: B molecules -> [R, B, width]. It owns a copy of their parameters."""

    def __init__(self, encoders: Sequence[GIN]):
        nn.Module.__init__(self)
        self.runs, self.width, self.dropout = len(encoders), encoders[0].width, encoders[0].dropout
        self.atoms = nn.Parameter(_beside([encoder.atoms for encoder in encoders]))
        depths = zip(*(encoder.layers for encoder in encoders), strict=True)
        self.layers = nn.ModuleList(StackedGINLayer(layers) for layers in depths)

    def forward(self, x: GraphBatch) -> Tensor:
        """Encode a batch of B molecules by every run's encoder as float32 [R, B, width]."""
        return super().forward(x).view(-1, self.runs, self.width).transpose(0, 1).contiguous()

    def state_of(self, run: int) -> dict[str, Tensor]:
        """Return a copy of the state of one run's encoder, under its own names."""
        state = {
            name: value[run] if value.dim() == 3 else value.chunk(self.runs, -1)[run]
            for name, value in self.state_dict().items()
        }
        return {name: value.clone(memory_format=torch.contiguous_format) for name, value in state.items()}


def batched_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Map [n, R k] with weights [R, m, k] to [n, R m] in one product; with biases [R m] also ReLU."""
    runs = len(weight)
    y = torch.bmm(x.view(len(x), runs, -1).transpose(0, 1), weight.mT).transpose(0, 1).flatten(1)
    return y if bias is None else (y + bias).relu_()


def _beside(tensors: Sequence[Tensor]) -> Tensor:
    """Return the tensors one beside the other in the last dimension, free of the graph."""
    return torch.cat([tensor.detach() for tensor in tensors], -1)


def stack(encoders: Sequence[GIN]) -> StackedGIN:
    """Return the encoders side by side, in their state of now."""
    return StackedGIN(encoders)
