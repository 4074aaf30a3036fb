"""Cross-stitch networks: an encoder per task, whose states are mixed linearly after each layer.

Misra et al. (2016), as L2T-MITTEN compares with them (section 5.2): a unit is a T x T matrix for all
positions and features. Encoders without a pass for all tasks together get one unit, after their last layer.
"""

import torch
from torch import Tensor, nn

from relatask.nn.contract import TaskContext
from relatask.nn.heads import KindModel, TaskHeads

CAPABILITIES = {
    "summary": "an encoder per task, states mixed by a T x T unit after each layer",
    "label": "CrossStitch",
    "paper": "misra_2016",
    "encoders": "per task",
    "kinds": ("binary", "real", "class"),
    "weights": ("items", "classes", "tasks"),
    "cost_in_tasks": "O(T)",
    "microseconds": 20.0,
    "options": {"own_share": 0.9},
    "limits": {"own_share": (0.0, 1.0)},
    "space": {
        "own_share": {"least": 0.5, "greatest": 1.0},
    },
}


class CrossStitch(KindModel):
    """x of B items -> outputs [B, C].

    A unit starts with `own_share` of a task's own states; the other tasks share the rest.
    """

    def __init__(self, context: TaskContext, own_share: float):
        super().__init__(context)
        n_tasks = len(context.task_ids)
        self.encoders = context.encoders(context.task_ids)
        start = torch.full((n_tasks, n_tasks), (1 - own_share) / max(n_tasks - 1, 1))
        start.fill_diagonal_(own_share if n_tasks > 1 else 1.0)
        self.units = nn.Parameter(start.repeat(self.encoders.depth, 1, 1))  # [layers, to, from]
        self.heads = TaskHeads(self.encoders.width, context)

    def stitch(self, layer: int, states: Tensor) -> Tensor:
        """Return the mixed states [N, T, w] that the next layer reads."""
        return self.units[layer].to(states.dtype) @ states

    def forward(self, x: object) -> Tensor:
        """Return the outputs [B, C]."""
        states = self.encoders.states(x, self.stitch)
        outputs: Tensor = self.heads(self.encoders.pool(states, x))
        return outputs


def build(context: TaskContext, own_share: float) -> CrossStitch:
    """Return the network."""
    return CrossStitch(context, own_share)
