"""MetaLink (Cao, You and Leskovec, ICLR 2022): known labels of an item speak about its other tasks.

Items and tasks are the nodes of a graph whose edges are known labels (`knowledge_graph.py`); a task starts
as the weights of its linear head, or as a constant where it is new (section 3.2). Each layer predicts, and
predictions are summed; with no layer this is the plain network. Which labels are known, and which tasks are
new, is the loop's business (`methods/metalink/episodic.py`, algorithms 1 to 3).
"""

import torch
from torch import Tensor, nn

from relatask.methods.metalink.knowledge_graph import KnowledgeLayer, KnownLabels, PairPredictor, dot
from relatask.nn.contract import Encoder, MultiTaskModel, TaskContext, task_linear
from relatask.nn.losses import task_losses

CAPABILITIES = {
    "summary": "known labels of other tasks are edges of a graph of items and tasks (MetaLink)",
    "label": "MetaLink",
    "paper": "metalink",
    "loop": "episodic",
    "uses_known_labels": True,
    "cost_in_tasks": "O(T)",
    "microseconds": 0.5,
    "options": {"layers": 2, "predictor": "dot", "shared": False},
    "choices": {"predictor": ("dot", "mlp")},
    "limits": {"layers": (0, 5)},
    "space": {
        "layers": {"least": 1, "greatest": 3},
        "predictor": {"values": ["dot", "mlp"]},
    },
}


class MetaLink(MultiTaskModel):
    """Encoder, heads, and layers over the graph of items and tasks: x of B items -> logits [B, T]."""

    def __init__(self, encoder: Encoder, context: TaskContext, layers: int, predictor: str, shared: bool):
        super().__init__()
        self.encoder = encoder
        self.heads = task_linear(encoder.width, context)
        self.layers = nn.ModuleList(KnowledgeLayer(encoder.width, shared) for _ in range(layers))
        self.predictors = nn.ModuleList(
            PairPredictor(encoder.width) for _ in range(layers + 1 if predictor == "mlp" else 0)
        )

    @property
    def trunk(self) -> nn.Module:
        """The encoder."""
        return self.encoder

    def forward(self, x: object, known: KnownLabels | None = None, new: Tensor | None = None) -> Tensor:
        """Return the logits [B, T] of label 1; see `relate`."""
        return self.relate(self.encoder(x), known, new)

    def relate(
        self, items: Tensor, known: KnownLabels | None, new: Tensor | None = None, n_asked: int | None = None
    ) -> Tensor:
        """Return the logits [n, T] of the first n of items [B, width].

        Args:
            items: what the encoder makes of B items.
            known: labels of these items that may be used; None where there is none.
            new: bool [T], tasks that start as a constant, because no weights were learned for them.
            n_asked: n; default: B. The others are the support, which is not predicted.
        """
        n = len(items) if n_asked is None else n_asked
        tasks: Tensor = self.heads.weight
        bias: Tensor = self.heads.bias
        if new is not None:
            tasks = torch.where(new[:, None], tasks.shape[1] ** -0.5, tasks)  # ones, scaled to length 1
            bias = torch.where(new, 0.0, bias)
        if known is None:
            nothing = items.new_zeros(len(items), len(tasks))
            known = KnownLabels(nothing, nothing)
        logits = self._predict(0, items[:n], tasks) + bias
        for number, layer in enumerate(self.layers, start=1):
            items, tasks = layer(items, tasks, known)
            logits = logits + self._predict(number, items[:n], tasks)
        return logits

    def _predict(self, number: int, items: Tensor, tasks: Tensor) -> Tensor:
        """What layer `number` says of all pairs; 0 is before the first."""
        if self.predictors:
            scores: Tensor = self.predictors[number](items, tasks)
            return scores
        return dot(items, tasks)

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each task's mean loss over its labelled cells, [T]; labels are NaN where missing."""
        return task_losses(logits, labels)


def build(context: TaskContext, layers: int, predictor: str, shared: bool) -> MetaLink:
    """Return the model around the shared encoder."""
    return MetaLink(context.encoder(), context, layers, predictor, shared)
