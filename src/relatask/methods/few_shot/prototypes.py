"""Classes known from a few images each: prototypes (Meta-Baseline), and MetaLink's layers over their graph.

Without layers this is Meta-Baseline (Chen et al., ICCV 2021, as released): the prototype of a class is the
mean embedding of the images in its support, and an image is of the class with the greatest cosine, scaled by
a learned temperature. With layers, images and classes are nodes of MetaLink's graph (`knowledge_graph.py`;
Cao, You and Leskovec, ICLR 2022, sections 3.2 and 4.3): a class starts as its prototype; an image of the
support has an edge to every class, labelled 1 for its own and 0 for the others; a query has none. Each layer
predicts, and the predictions are summed. What the paper leaves open: the layers read embeddings of length 1,
and each predicts as Meta-Baseline does, by the cosine and a temperature of its own.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.methods.metalink.knowledge_graph import KnowledgeLayer, KnownLabels
from relatask.nn.contract import Encoder, MultiTaskModel, TaskContext, task_linear

CAPABILITIES = {
    "summary": "unseen classes by the mean of a few images, and MetaLink's layers over them (Meta-Baseline)",
    "label": "Prototypes",
    "paper": "chen_2021",
    "loop": "few_shot",
    "kinds": ("class",),
    "options": {"layers": 0, "pretraining": 0},
    "limits": {"layers": (0, 5)},
}
FIRST_TEMPERATURE = 10.0  # a cosine is at most 1, which alone could not make a probability near 0 or 1


class Prototypes(MultiTaskModel):
    """An encoder of images, and layers over the graphs of E episodes of N classes each."""

    def __init__(self, encoder: Encoder, context: TaskContext, layers: int, classifies: bool):
        super().__init__()
        self.encoder = encoder
        self.layers = nn.ModuleList(KnowledgeLayer(encoder.width, shared=False) for _ in range(layers))
        self.temperatures = nn.Parameter(torch.full((layers + 1,), FIRST_TEMPERATURE))
        self.heads = task_linear(encoder.width, context) if classifies else None

    @property
    def trunk(self) -> nn.Module:
        """The encoder."""
        return self.encoder

    def forward(self, x: object) -> Tensor:
        """Return the embeddings [B, width] of images."""
        embeddings: Tensor = self.encoder(x)
        return embeddings

    def relate(self, support: Tensor, queries: Tensor) -> Tensor:
        """Return the logits [E, Q, N] of the classes of each query.

        Args:
            support: embeddings [E, N, K, width] of K images of each class, whose class is known.
            queries: embeddings [E, Q, width] of images whose class is asked.
        """
        n_asked, (_, n_classes, n_shots, _) = queries.shape[1], support.shape
        items = F.normalize(torch.cat([queries, support.flatten(1, 2)], 1), dim=-1)
        classes = F.normalize(support.mean(2), dim=-1)
        edges = self._edges(n_asked, n_classes, n_shots).to(items)
        known = KnownLabels.of(edges)
        logits = self.temperatures[0] * items[:, :n_asked] @ classes.mT
        for temperature, layer in zip(self.temperatures[1:], self.layers, strict=True):
            items, classes = layer(items, classes, known)
            asked = F.normalize(items[:, :n_asked], dim=-1)
            logits = logits + temperature * asked @ F.normalize(classes, dim=-1).mT
        return logits

    @staticmethod
    def _edges(n_asked: int, n_classes: int, n_shots: int) -> Tensor:
        """The known labels [Q + N K, N] of any episode's images: none of a query."""
        unknown = torch.full((n_asked, n_classes), torch.nan)
        return torch.cat([unknown, torch.eye(n_classes).repeat_interleave(n_shots, 0)])

    def classify(self, embeddings: Tensor) -> Tensor:
        """Return the logits [B, C] of all classes of the data set, for the first stage of Meta-Baseline."""
        assert self.heads is not None
        logits: Tensor = self.heads(embeddings)
        return logits

    def losses(self, logits: Tensor, ways: Tensor) -> Tensor:
        """Return each episode's mean cross-entropy, [E], of logits [E, Q, N] and true classes [E, Q]."""
        return F.cross_entropy(logits.mT, ways, reduction="none").mean(1)


def build(context: TaskContext, layers: int, pretraining: int) -> Prototypes:
    """Return the model around the shared encoder; one that is pretrained has heads for all classes."""
    return Prototypes(context.encoder(), context, layers, classifies=pretraining > 0)
