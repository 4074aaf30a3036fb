"""The networks that one pass trains: that of a run, or those of several runs side by side.

Runs that differ in their task sets alone start from the same encoder and see the same batches in the same
order. Side by side each batch is read once for all of them, through encoders that are stacked
(`relatask.encoders._stacked_*`), and each run's heads read its own encoder. The runs' gradients do not mix,
and dropout drops what it would drop in each run alone. What a run learns depends on none of those beside it.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

from torch import Tensor, nn

from relatask.engine.network import build_model
from relatask.engine.problem import Problem
from relatask.nn.contract import Encoder, MultiTaskModel


class Networks(nn.Module):
    """R networks that are fed the same items; its parameters and buffers are what is trained."""

    models: Sequence[MultiTaskModel]

    def __init__(self, models: Sequence[MultiTaskModel]):
        super().__init__()
        self.models = cast(Sequence[MultiTaskModel], nn.ModuleList(models))

    def forward(self, x: Any) -> list[Tensor]:
        """Return the outputs [B, C] of each network for B items."""
        return [model(x) for model in self.models]

    def weights_of(self, run: int) -> dict[str, Tensor]:
        """Return a copy of the state of one network, under its own names."""
        return {name: value.clone() for name, value in self.models[run].state_dict().items()}

    def load_weights(self, weights: Sequence[dict[str, Tensor]]) -> None:
        """Give each network a state as `weights_of` returns it."""
        for model, own in zip(self.models, weights, strict=True):
            model.load_state_dict(own)


class StackedModel(MultiTaskModel):
    """What a method with the capability `stacks` builds: its outputs are heads(encoder(x)), and no more."""

    encoder: Encoder
    heads: nn.Linear


class StackedNetworks(Networks):
    """R networks of one shape whose encoders are stacked.

    Args:
        models: of R runs that differ in their tasks alone.
        encoder: the name of their encoder.
    """

    def __init__(self, models: Sequence[MultiTaskModel], encoder: str):
        nn.Module.__init__(self)
        self.models = tuple(models)  # a tuple, because the encoders that are trained are the stacked ones
        self.heads = nn.ModuleList(cast(StackedModel, model).heads for model in models)
        self._module = import_module(f"relatask.encoders._stacked_{encoder}")
        self._stack()

    def _stack(self) -> None:
        encoders = [cast(StackedModel, model).encoder for model in self.models]
        device = next(self.heads.parameters()).device
        self.encoder: Any = self._module.stack(encoders).to(device)

    def forward(self, x: Any) -> list[Tensor]:
        """Return the outputs [B, C] of each network for B items."""
        states = self.encoder(x).unbind()
        return [heads(state) for heads, state in zip(self.heads, states, strict=True)]

    def weights_of(self, run: int) -> dict[str, Tensor]:
        """Return a copy of the state of one network, under its own names."""
        own = self.models[run].state_dict()  # all but its encoder, of which the stacked one is trained
        encoder = {f"encoder.{name}": value for name, value in self.encoder.state_of(run).items()}
        return {name: encoder[name] if name in encoder else value.clone() for name, value in own.items()}

    def load_weights(self, weights: Sequence[dict[str, Tensor]]) -> None:
        """Give each network a state as `weights_of` returns it; what was trained before is replaced."""
        super().load_weights(weights)
        self._stack()


def networks_of(problems: Sequence[Problem]) -> Networks:
    """Return the freshly initialised networks of problems, on their device.

    Args:
        problems: one, or several that differ in their tasks alone, of a method and an encoder that can be
            stacked.
    """
    models = [build_model(problem).to(problem.data.labels.device) for problem in problems]
    if len(problems) == 1:
        return Networks(models)
    return StackedNetworks(models, problems[0].spec.required_encoder().name)
