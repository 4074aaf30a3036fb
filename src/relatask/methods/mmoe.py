"""Multi-gate mixture of experts (Ma et al., 2018): experts that all tasks share, and a gate for each task.

The paper's gates read the input itself. Graphs and texts are no vectors, so gates read the embedding of an
encoder of their own, of the same kind as the experts.
"""

import torch
from torch import Tensor

from relatask.nn.contract import TaskContext
from relatask.nn.gates import GATE, TaskGates, experts
from relatask.nn.heads import KindModel, TaskHeads

CAPABILITIES = {
    "summary": "experts that all tasks share, mixed by a gate for each task",
    "label": "MMoE",
    "paper": "ma_2018",
    "trunk": False,
    "copies": ("experts",),
    "kinds": ("binary", "real", "class"),
    "weights": ("items", "classes", "tasks"),
    "cost_in_tasks": "O(1)",
    "microseconds": 2.0,
    "options": {"experts": 4},
    "limits": {"experts": (1, 1000)},
    "space": {
        "experts": {"least": 2, "greatest": 8},
    },
}


class MMoE(KindModel):
    """x of B items -> outputs [B, C]."""

    def __init__(self, context: TaskContext, n_experts: int):
        super().__init__(context)
        self.encoders = context.encoders([*experts(n_experts), GATE])
        self.gates = TaskGates(self.encoders.width, n_experts, context)
        self.heads = TaskHeads(self.encoders.width, context)

    def forward(self, x: object) -> Tensor:
        """Return the outputs [B, C]."""
        embeddings = self.encoders(x)
        shares = self.gates(embeddings[:, -1]).softmax(-1)
        outputs: Tensor = self.heads(torch.bmm(shares, embeddings[:, :-1]))
        return outputs


def build(context: TaskContext, experts: int) -> MMoE:
    """Return the network."""
    return MMoE(context, experts)
