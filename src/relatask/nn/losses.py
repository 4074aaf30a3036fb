"""Losses that skip missing labels."""

import torch
import torch.nn.functional as F
from torch import Tensor


def task_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean binary cross-entropy of each task over its labelled cells.

    Args:
        logits: [B, T].
        labels: [B, T], 0 or 1, NaN where missing.

    Returns:
        [T]; a task without a label in the batch has loss 0, and its logits get no gradient.
    """
    known = ~torch.isnan(labels)
    cells = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(0.0), reduction="none")
    # where, not a product: an infinite loss of a missing cell would make 0 * inf.
    return torch.where(known, cells, 0.0).sum(0) / known.sum(0).clamp(min=1)
