"""A graph network on the relation graph with a state per label of nodes and edges (SGNN, eqs. 2-8, 17-20).

Each task is predicted by itself from its two states (eq. 7). The paper leaves widths, dropout and batch norm
open; the authors' code has node and edge MLPs of 1024 and 512 hidden units (here: width 512), 2 or 4
layers of states 100 wide and a readout of 400 and 200 units (200). The defaults are narrower, see
docs/performance.md.
"""

from typing import Any

import torch
from torch import Tensor, nn

from relatask.methods.sgnn.layers import SGNN, SGNNSettings, readout
from relatask.nn.contract import Encoder, MultiTaskModel, TaskContext
from relatask.nn.losses import task_losses

CAPABILITIES = {
    "summary": "a network on the relation graph gives each task its states",
    "label": "SGNN",
    "paper": "sgnn_ebm",
    "loop": "supervised",
    "needs_relations": True,
    "weights": ("items", "classes", "tasks"),
    "cost_in_tasks": "O(T + E)",
    "microseconds": 4.0,
    "cost_options": ("edge_width",),  # measured: 16 times as wide, 16 times as long
    "options": {
        "layers": 2,
        "state_width": 32,
        "task_width": 32,
        "task_layers": 2,
        "task_pretraining": 0,
        "node_width": 64,
        "edge_width": 32,
        "readout_width": 32,
        "dropout": 0.1,
        "batch_norm": True,
        "least_score": 0.1,
    },
    "limits": {
        "layers": (1, 100),
        "state_width": (1, 10_000),
        "task_width": (1, 10_000),
        "task_layers": (0, 100),
        "task_pretraining": (0, 100_000),
        "node_width": (1, 10_000),
        "edge_width": (1, 10_000),
        "readout_width": (1, 10_000),
        "dropout": (0.0, 0.99),
        "least_score": (0.0, 1.0),
    },
    "draws_alike": {"task_pretraining": None},
    "space": {
        "layers": {"least": 1, "greatest": 4},
        "state_width": {"least": 16, "greatest": 64, "log": True},
        "dropout": {"least": 0.0, "greatest": 0.3},
    },
}
PREDICTED = 64  # items at a time outside training, where their number bounds the memory alone


class StateNetwork(MultiTaskModel):
    """Encoder, SGNN, and a readout that all tasks share: x of B items -> logits [B, T]."""

    def __init__(self, encoder: Encoder, context: TaskContext, settings: SGNNSettings):
        super().__init__()
        self.encoder = encoder
        self.sgnn = SGNN(encoder.width, context, settings, reads_edges=False)
        self.readout = readout(2 * self.sgnn.state_width, settings.readout_width)

    @property
    def trunk(self) -> nn.Module:
        """The encoder."""
        return self.encoder

    def forward(self, x: object) -> Tensor:
        """Return the logits [B, T] of label 1."""
        items = self.encoder(x)
        parts = [items] if self.training else items.split(PREDICTED)
        return torch.cat([self._logits(part) for part in parts])

    def _logits(self, items: Tensor) -> Tensor:
        """Eq. 7: [B, item width] -> [B, T]."""
        scores: Tensor = self.readout(self.sgnn(items).nodes.flatten(2))
        return scores[..., 0].t()

    def losses(self, logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return each task's mean loss over its labelled cells, [T] (eq. 8); NaN where a label is missing."""
        return task_losses(logits, labels, weights)


def build(context: TaskContext, **options: Any) -> StateNetwork:
    """Return the model around the shared encoder; its options are those of `SGNNSettings`."""
    return StateNetwork(context.encoder(), context, SGNNSettings(**options))
