"""L2T-MITTEN: an encoder per task, whose states tasks send each other before they are pooled.

How much a task takes from another is learned in general (D) and for each position of an item, e.g. an atom.
The paper leaves out widths, depth, learning rate, batch, eta and the axis of softmax(D); what was chosen for
them on validation is in docs/mitten.md. Time and memory grow with the square of the number of tasks, as eqs.
2 to 4 have a product of d x d for each pair and position. What is held of positions at a time is bounded
(`mixture`); the products of the maps of each two tasks are not: 8 T^2 d (d + 1) bytes, and twice that while
they are made, 333 and 666 MB at 100 tasks and 64 numbers.
"""

import numpy as np
import pandas as pd
from torch import Tensor

from relatask.methods.mitten.transfer import Transfer
from relatask.nn.contract import TaskContext
from relatask.nn.heads import KindModel, TaskHeads

CAPABILITIES = {
    "summary": "an encoder per task; attention between tasks at each position, before pooling",
    "label": "MITTEN",
    "paper": "l2t_mitten",
    "loop": "recorded",
    "encoders": "per task",
    "kinds": ("binary", "real", "class"),
    "weights": ("items", "classes", "tasks"),
    "cost_in_tasks": "O(T^2)",
    "microseconds": 400.0,
    # recorded_items: of table `item_dependency`, fewer of more than 50 tasks; see `recorded.MOST_ROWS`.
    "options": {"eta": 10.0, "axis": "source", "own": True, "recorded_items": 200},
    "choices": {"axis": ("source", "target")},
    "limits": {"eta": (0.0, 1e6), "recorded_items": (0, 1_000_000)},
    "saves": {
        "dependency": {"source": "category", "target": "category", "weight": "float32"},
        "item_dependency": {
            "item_id": "int32",
            "source": "category",
            "target": "category",
            "weight": "float32",
        },
    },
    "space": {
        "eta": {"least": 0.1, "greatest": 100.0, "log": True},
    },
}


class Mitten(KindModel):
    """x of B items -> outputs [B, C]: encoders, transfer block (section 4), readouts (appendix B)."""

    def __init__(self, context: TaskContext, eta: float, axis: str, own: bool, recorded_items: int):
        super().__init__(context)
        self.task_ids, self.recorded_items = context.task_ids, recorded_items
        self.encoders = context.encoders(context.task_ids)
        self.transfer = Transfer(self.encoders.state_width, context, eta, axis, own)
        self.heads = TaskHeads(self.encoders.width, context)

    def forward(self, x: object) -> Tensor:
        """Return the outputs [B, C]."""
        states = self.transfer(self.encoders.states(x))
        outputs: Tensor = self.heads(self.encoders.pool(states, x))
        return outputs

    def attention(self, x: object) -> Tensor:
        """Return how much task j (last) takes from task i at each position of B items, [N, T, T]."""
        return self.transfer.attention(self.encoders.states(x))

    def saved(self) -> dict[str, pd.DataFrame]:
        """Return softmax(D) of each pair of tasks; the loop adds how it is for items."""
        return {"dependency": self.pairs(self.transfer.general())}

    def pairs(self, weights: Tensor) -> pd.DataFrame:
        """Return weights [..., T, T] as rows: source, target, weight."""
        tasks = pd.Index(self.task_ids)
        pair = np.arange(weights.numel()) % len(tasks) ** 2
        return pd.DataFrame(
            {
                "source": pd.Categorical.from_codes(pair // len(tasks), tasks),
                "target": pd.Categorical.from_codes(pair % len(tasks), tasks),
                "weight": weights.detach().float().cpu().numpy().ravel(),
            }
        )


def build(context: TaskContext, eta: float, axis: str, own: bool, recorded_items: int) -> Mitten:
    """Return the network."""
    return Mitten(context, eta, axis, own, recorded_items)
