"""The validation metric by which an epoch is selected: mean ROC-AUC, over many tasks at once."""

import math

import torch
from torch import Tensor

CELLS = 2_000_000  # (item, task) pairs in memory at a time, some 100 bytes each


def roc_auc_by_task(labels: Tensor, scores: Tensor) -> Tensor:
    """ROC-AUC of each task, ties counted half, as the Mann-Whitney statistic.

    Args:
        labels: [n, T], 0 or 1, NaN where missing.
        scores: [n, T], higher for label 1.

    Returns:
        float64 [T], NaN for a task without both classes.
    """
    n_tasks = max(1, CELLS // max(1, len(labels)))
    parts = zip(labels.split(n_tasks, 1), scores.split(n_tasks, 1), strict=True)
    return torch.cat([_roc_auc(*part) for part in parts])


def _roc_auc(labels: Tensor, scores: Tensor) -> Tensor:
    """`roc_auc_by_task` of as many tasks as memory holds."""
    scores, order = scores.double().sort(dim=0)
    labels = labels.gather(0, order)
    positive, negative = (labels == 1).double(), (labels == 0).double()
    below = negative.cumsum(0)  # negatives up to and including each row
    row = torch.arange(len(scores), device=scores.device)[:, None].expand_as(scores)
    changes = torch.ones_like(scores, dtype=torch.bool)
    changes[1:] = scores[1:] != scores[:-1]
    first = torch.where(changes, row, 0).cummax(0).values  # where a row's run of equal scores begins
    ends = torch.ones_like(changes)
    ends[:-1] = changes[1:]
    last = torch.where(ends, row, len(scores)).flip(0).cummin(0).values.flip(0)
    before = (below - negative).gather(0, first)
    wins = (positive * (before + below.gather(0, last)) / 2).sum(0)
    pairs = positive.sum(0) * negative.sum(0)
    return torch.where(pairs > 0, wins / pairs, math.nan)


def mean_roc_auc(labels: Tensor, scores: Tensor) -> float:
    """Mean of `roc_auc_by_task` over tasks with both classes; NaN if there is none."""
    if not labels.numel():
        return math.nan
    return float(roc_auc_by_task(labels, scores).nanmean())
