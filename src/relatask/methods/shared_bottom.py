"""Multi-task learning with a shared encoder and one linear head per task (Caruana, 1997).

The "MTL" of SGNN-EBM, table 2.
"""

from torch import Tensor, nn

from relatask.nn.contract import Encoder, TaskContext, task_linear
from relatask.nn.losses import task_losses

CAPABILITIES = {
    "summary": "one encoder for all tasks, one linear head each",
    "label": "MTL",
    "paper": "caruana_1997",
    "loop": "supervised",
    "cost_in_tasks": "O(1)",
}


class SharedBottom(nn.Module):
    """Encoder, then a linear head per task: x of B items -> logits [B, T]."""

    linear_heads = True  # logits are heads(encoder(x)), so gradients of tasks are products, see balancing

    def __init__(self, encoder: Encoder, context: TaskContext):
        super().__init__()
        self.encoder = encoder
        self.heads = task_linear(encoder.width, context)

    def forward(self, x: object) -> Tensor:
        """Return the logits [B, T] of label 1."""
        return self.heads(self.encoder(x))

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each task's mean loss over its labelled cells, [T]; labels are NaN where missing."""
        return task_losses(logits, labels)


def build(encoder: Encoder, context: TaskContext) -> SharedBottom:
    """Return the model around `encoder`."""
    return SharedBottom(encoder, context)
