"""Multi-task learning with a shared encoder and one linear head per task (Caruana, 1997).

The "MTL" of SGNN-EBM, table 2.
"""

from torch import Tensor, nn

from relatask.nn.contract import Encoder, MultiTaskModel, TaskContext, task_linear
from relatask.nn.losses import task_losses

CAPABILITIES = {
    "summary": "one encoder for all tasks, one linear head each",
    "label": "MTL",
    "paper": "caruana_1997",
    "loop": "supervised",
    "cost_in_tasks": "O(1)",
    "stacks": True,
}


class SharedBottom(MultiTaskModel):
    """Encoder, then a linear head per task: x of B items -> logits [B, T]."""

    linear_heads = True  # logits are heads(encoder(x)), so gradients of tasks are products, see balancing

    def __init__(self, encoder: Encoder, context: TaskContext):
        super().__init__()
        self.encoder = encoder
        self.heads = task_linear(encoder.width, context)

    @property
    def trunk(self) -> nn.Module:
        """The encoder."""
        return self.encoder

    def forward(self, x: object) -> Tensor:
        """Return the logits [B, T] of label 1."""
        logits: Tensor = self.heads(self.encoder(x))
        return logits

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each task's mean loss over its labelled cells, [T]; labels are NaN where missing."""
        return task_losses(logits, labels)


def build(context: TaskContext) -> SharedBottom:
    """Return the model around the shared encoder."""
    return SharedBottom(context.encoder(), context)
