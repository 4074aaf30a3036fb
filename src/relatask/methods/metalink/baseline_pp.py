"""Baseline++ (Chen et al., ICLR 2019) for unseen tasks, as MetaLink compares with (its section 4.1).

The network learns the seen tasks with classifiers by cosine. For an unseen task the encoder stays as it is,
and a classifier of the same kind is fitted to the support (`methods/metalink/finetuned.py`).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.nn.contract import Encoder, MultiTaskModel, TaskContext, task_linear
from relatask.nn.losses import task_losses

CAPABILITIES = {
    "summary": "new tasks by a linear classifier on a trained encoder (Baseline++)",
    "label": "Baseline++",
    "paper": "chen_2019",
    "loop": "finetuned",
    "microseconds": 0.5,
}
FIRST_SCALE = 10.0  # a cosine is at most 1, which alone could not make a probability near 0 or 1


class CosineNetwork(MultiTaskModel):
    """An encoder, and for each task a scaled cosine with its weights: x of B items -> logits [B, T]."""

    def __init__(self, encoder: Encoder, context: TaskContext):
        super().__init__()
        self.encoder = encoder
        self.heads = task_linear(encoder.width, context)
        self.log_scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))

    @property
    def trunk(self) -> nn.Module:
        """The encoder."""
        return self.encoder

    def forward(self, x: object) -> Tensor:
        """Return the logits [B, T] of label 1."""
        items = F.normalize(self.encoder(x).float(), dim=1)
        cosines = items @ F.normalize(self.heads.weight, dim=1).T
        return self.log_scale.exp() * cosines + self.heads.bias

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each task's mean loss over its labelled cells, [T]; labels are NaN where missing."""
        return task_losses(logits, labels)


def build(context: TaskContext) -> CosineNetwork:
    """Return the model around the shared encoder."""
    return CosineNetwork(context.encoder(), context)
