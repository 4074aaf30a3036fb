"""Adam (Kingma and Ba, 2015) on one number per task, in which an absent task takes no step."""

import torch
from torch import Tensor, nn

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # torch's defaults


class TaskAdam(nn.Module):
    """Moments and step counts [T] of each task's own; plain Adam where every task is always present.

    In plain Adam momentum would move the number of a task that has no label, the faster the rarer it is.
    """

    first: Tensor
    second: Tensor
    steps: Tensor

    def __init__(self, n_tasks: int):
        super().__init__()
        for name in ("first", "second", "steps"):
            self.register_buffer(name, torch.zeros(n_tasks))

    @torch.no_grad()
    def step(self, values: Tensor, gradient: Tensor, present: Tensor, learning_rate: float) -> None:
        """Move `values` [T] of present tasks against `gradient` [T], in place."""
        share = present.to(self.first.dtype)
        self.steps += share
        self.first.lerp_(gradient, (1 - BETA_1) * share)
        self.second.lerp_(gradient.square(), (1 - BETA_2) * share)
        first = self.first / (1 - BETA_1**self.steps)  # NaN before the first step
        second = self.second / (1 - BETA_2**self.steps)
        values.sub_(torch.where(present, learning_rate * first / (second.sqrt() + EPSILON), 0.0))
