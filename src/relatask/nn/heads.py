"""Models whose tasks each have a linear head, on one embedding of all tasks or each on its own."""

import torch
from torch import Tensor, nn

from relatask.nn.contract import MultiTaskModel, TaskContext, task_linear
from relatask.nn.kinds import KindOutputs
from relatask.nn.losses import task_losses


class KindModel(MultiTaskModel):
    """A model with outputs [B, C] of tasks of any kind: losses and scores follow from the kinds.

    C is the number of tasks T, and larger where a task is of kind class (`KindOutputs`).
    """

    def __init__(self, context: TaskContext):
        super().__init__()
        kinds = context.kinds
        self.outputs = None if kinds is None or kinds.all_binary else KindOutputs(kinds)

    def losses(
        self, outputs: Tensor, labels: Tensor, bounds: Tensor | None = None, weights: Tensor | None = None
    ) -> Tensor:
        """Return each task's mean loss over its labelled cells, [T]; labels are NaN where missing."""
        return (
            task_losses(outputs, labels, weights)
            if self.outputs is None
            else self.outputs.losses(outputs, labels, bounds, weights)
        )

    def scores(self, outputs: Tensor) -> Tensor:
        """Return what is saved of outputs, float32 [B, T]."""
        return outputs.sigmoid() if self.outputs is None else self.outputs.scores(outputs)


class TaskHeads(nn.Module):
    """A linear head for each task on that task's own embedding: [B, T, width] -> outputs [B, C]."""

    owner: Tensor  # int64 [C]: the task of each output

    def __init__(self, width: int, context: TaskContext):
        super().__init__()
        self.linear = task_linear(width, context)
        n_tasks, kinds = len(context.task_ids), context.kinds
        n_outputs = torch.tensor((1,) * n_tasks if kinds is None else kinds.n_outputs)
        owner = torch.repeat_interleave(torch.arange(n_tasks), n_outputs)
        self.register_buffer("owner", owner, persistent=False)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return the outputs [B, C] of embeddings [B, T, width]."""
        own = embeddings if len(self.owner) == embeddings.shape[1] else embeddings[:, self.owner]
        return (own * self.linear.weight).sum(-1) + self.linear.bias
