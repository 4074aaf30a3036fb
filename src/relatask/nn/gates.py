"""Gates of mixtures of experts: for each item and task, how much of which expert."""

import torch
from torch import Tensor, nn

from relatask.nn.contract import TaskContext, task_draws

GATE = "gate"  # name of the encoder whose embedding gates read


class TaskGates(nn.Module):
    """Gate logits of T tasks over E experts: [.., w] -> [.., T, E], drawn task by task.

    Gates of different tasks and of different names differ from the start.
    """

    def __init__(self, width: int, n_experts: int, context: TaskContext, name: str = GATE):
        super().__init__()
        weight, bias = task_draws((n_experts,), width, context, name)
        self.weight = nn.Parameter(weight.clone())  # [T, E, w]
        self.bias = nn.Parameter(bias.clone())  # [T, E]

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of inputs that all tasks share."""
        return torch.einsum("...w,tew->...te", x, self.weight.to(x.dtype)) + self.bias.to(x.dtype)


def experts(count: int, of: str = "expert") -> list[str]:
    """Return the names of `count` experts."""
    return [f"{of} {number}" for number in range(count)]
