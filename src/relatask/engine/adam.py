"""Adam (Kingma and Ba, 2015) without what `torch.optim` brings along."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """The numbers of `torch.optim.Adam(fused=True)`, by the same function.

    That class imports torch.compile when it is made: 1.3 s and 70 MB for each process, as much as torch
    itself takes to start.
    """

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float, weight_decay: float):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.first = [torch.zeros_like(p) for p in self.parameters]  # moving mean of the gradient
        self.second = [torch.zeros_like(p) for p in self.parameters]  # and of its square
        self.steps = [torch.zeros((), device=p.device) for p in self.parameters]

    def clear(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        used = [k for k, parameter in enumerate(self.parameters) if parameter.grad is not None]
        adam(
            [self.parameters[k] for k in used],
            [self.parameters[k].grad for k in used],  # type: ignore[misc]
            [self.first[k] for k in used],
            [self.second[k] for k in used],
            [],
            [self.steps[k] for k in used],
            fused=True,  # one pass over the weights instead of eight
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
            eps=1e-8,
            maximize=False,
        )

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"first": self.first, "second": self.second, "steps": self.steps}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over the moving means and step counts of `state`."""
        for name, values in state.items():
            for mine, saved in zip(getattr(self, name), values, strict=True):
                mine.copy_(saved)
