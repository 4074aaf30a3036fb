"""How often a task is positive, and how much more or less often an item's known labels are: no structure.

Additive effects of rows and columns, the first baseline of collaborative filtering (Koren, 2008, eq. 1), on
the log odds: there a sum stays a probability, so no two items are made equal by a limit at 0 or 1. Without
`items` it is the mean of each task: the same score for all items, so a ROC-AUC of one half.
"""

import torch
from torch import Tensor

CAPABILITIES = {
    "summary": "task mean, shifted by an item's known labels; reads no structure",
    "label": "LabelMean",
    "paper": "koren_2008",
    "inputs": ("none",),
    "loop": "label_only",
    "random": False,
    "encoders": "none",
    "uses_known_labels": True,
    "microseconds": 1.0,
    "options": {"items": True, "penalty": 1.0},
    "limits": {"penalty": (1e-6, 1e6)},
    "space": {
        "penalty": {"least": 0.1, "greatest": 100.0, "log": True},
    },
}


class LabelMean:
    """Task means of training, and whether items have an effect, shrunk as by `penalty` labels at the mean."""

    def __init__(self, items: bool, penalty: float):
        self.items, self.penalty = items, penalty
        self.means = torch.zeros(0)

    def fit(self, labels: Tensor) -> None:
        """Learn from labels [n, T] (NaN where missing); one label of each class is added to a task's own."""
        self.means = (labels.nansum(0) + 1) / ((~labels.isnan()).sum(0) + 2)

    def state(self) -> dict[str, Tensor]:
        """Return the task means."""
        return {"means": self.means}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take the task means of a fitted model."""
        self.means = state["means"]

    def predict(self, known: Tensor) -> Tensor:
        """Return the scores [n, T] of items of which labels `known` [n, T] are known, NaN where not."""
        if not self.items:
            return self.means.expand_as(known)
        count = (~known.isnan()).sum(1)
        expected = torch.where(known.isnan(), 0, self.means).sum(1) / count.clamp(min=1)
        expected = torch.where(count > 0, expected, 0.5)  # any share will do: the effect is none
        found = (known.nansum(1) + self.penalty * expected) / (count + self.penalty)
        effect = torch.logit(found) - torch.logit(expected)
        return torch.sigmoid(torch.logit(self.means) + effect[:, None])


def build(seed: int, items: bool, penalty: float) -> LabelMean:
    """Return the model; it draws nothing."""
    return LabelMean(items, penalty)
