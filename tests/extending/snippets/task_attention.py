"""An encoder for each task; before pooling, an atom looks at its states in the encoders of other tasks."""

import torch
from torch import Tensor, nn

from relatask.nn.contract import MultiTaskModel, TaskContext, task_linear
from relatask.nn.losses import task_losses

CAPABILITIES = {
    "summary": "an encoder per task, and attention between tasks before atoms are pooled",
    "label": "TaskAttention",
    "encoders": "per task",
    "trunk": True,
    "cost_in_tasks": "O(T^2)",
    "microseconds": 20.0,
    "options": {"heads": 1},
    "limits": {"heads": (1, 16)},
}


class TaskAttention(MultiTaskModel):
    """x of B items -> logits [B, T]."""

    def __init__(self, context: TaskContext, heads: int):
        super().__init__()
        self.encoders = nn.ModuleList(context.encoder(task) for task in context.task_ids)
        width = self.encoders[0].width
        self.attention = Mixed(width, heads)
        self.heads = task_linear(width, context)

    @property
    def trunk(self) -> nn.Module:
        """What all tasks share."""
        return self.attention

    def forward(self, x: object) -> Tensor:
        """Return the logits [B, T] of label 1."""
        states = self.attention(torch.stack([encoder.states(x) for encoder in self.encoders], 1))  # [N, T, w]
        pooled = [encoder.pool(own, x) for encoder, own in zip(self.encoders, states.unbind(1), strict=True)]
        return (torch.stack(pooled, 1) * self.heads.weight).sum(-1) + self.heads.bias

    def losses(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return each task's mean loss over its labelled cells, [T]."""
        return task_losses(outputs, labels)


class Mixed(nn.Module):
    """States [N, T, w] plus what attention over the T tasks adds to them."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, states: Tensor) -> Tensor:
        """Return states of the same shape."""
        return states + self.attention(states, states, states, need_weights=False)[0]


def build(context: TaskContext, heads: int) -> TaskAttention:
    """Return the network."""
    return TaskAttention(context, heads)
