"""Losses that skip missing labels."""

import torch
import torch.nn.functional as F
from torch import Tensor


def task_losses(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean binary cross-entropy of each task over its labelled cells.

    Args:
        logits: [B, T].
        labels: [B, T], 0 or 1, NaN where missing.
        weights: [B, T], how much a cell counts in its task's mean; None: all alike.

    Returns:
        [T]; a task without a label in the batch has loss 0, and its logits get no gradient.
    """
    known = ~torch.isnan(labels)
    cells = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(0.0), reduction="none")
    return mean_of_cells(cells, known, weights)


def mean_of_cells(cells: Tensor, known: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the mean of each task's known cells [T], 0 where there is none.

    With weights it is sum w l / sum w: a cell of weight 2 counts as two equal ones, of 0 as a missing one.

    Args:
        cells: losses [B, T], anything where not known.
        known: bool [B, T].
        weights: [B, T]; None: all alike.
    """
    # where, not a product: an infinite loss of a missing cell would make 0 * inf.
    if weights is None:
        return torch.where(known, cells, 0.0).sum(0) / known.sum(0).clamp(min=1)
    total = torch.where(known, weights, 0.0).sum(0)
    return torch.where(known, weights * cells, 0.0).sum(0) / torch.where(total > 0, total, 1.0)
