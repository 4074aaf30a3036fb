"""Multi-task learning with a shared encoder and one linear head per task (Caruana, 1997).

The "MTL" of SGNN-EBM, table 2.
"""

from torch import Tensor, nn

from relatask.nn.contract import Encoder, TaskContext, task_linear
from relatask.nn.heads import KindModel

CAPABILITIES = {
    "summary": "one encoder for all tasks, one linear head each",
    "label": "MTL",
    "paper": "caruana_1997",
    "loop": "supervised",
    "cost_in_tasks": "O(1)",
    "stacks": True,
    "kinds": ("binary", "real", "class"),
    "weights": ("items", "classes", "tasks"),
}


class SharedBottom(KindModel):
    """Encoder, then a linear head per task: x of B items -> logits [B, T].

    With tasks of other kinds than binary, outputs [B, C] as `KindOutputs` reads them.
    """

    def __init__(self, encoder: Encoder, context: TaskContext):
        super().__init__(context)
        self.encoder = encoder
        self.heads = task_linear(encoder.width, context)
        kinds = context.kinds
        # Outputs are heads(encoder(x)), one for each task: gradients of tasks are products, see balancing.
        self.linear_heads = kinds is None or "class" not in kinds.kinds

    @property
    def trunk(self) -> nn.Module:
        """The encoder."""
        return self.encoder

    def forward(self, x: object) -> Tensor:
        """Return the logits [B, T] of label 1."""
        logits: Tensor = self.heads(self.encoder(x))
        return logits


def build(context: TaskContext) -> SharedBottom:
    """Return the model around the shared encoder."""
    return SharedBottom(context.encoder(), context)
