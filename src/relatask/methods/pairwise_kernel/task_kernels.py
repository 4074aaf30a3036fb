"""How similar tasks are: each to itself alone, all alike, or as their training labels correlate."""

import torch
from scipy.sparse import csr_array
from torch import Tensor

from relatask.evaluation.label_correlation import pairwise_correlation

NAMES = ("own", "all", "correlation")
# Shares of the three that are tried, from independent tasks to equal ones: each alone, two in halves, all in
# thirds (the simplex-centroid design of Scheffe, 1963). They sum to 1, so a task has kernel 1 with itself.
SHARES = (
    (1.0, 0.0, 0.0),
    (1 / 2, 0.0, 1 / 2),
    (1 / 2, 1 / 2, 0.0),
    (1 / 3, 1 / 3, 1 / 3),
    (0.0, 0.0, 1.0),
    (0.0, 1 / 2, 1 / 2),
    (0.0, 1.0, 0.0),
)
# Items at correlation 0 that are added to those which two tasks have in common. Of 0, 3, 10 and 30 none was
# better on the validation of Tox21, SIDER and KIBA by more than 0.2 points of ROC-AUC.
SHRINKING = 10.0


def kernels(labels: Tensor) -> Tensor:
    """Return the three kernels of T tasks, in the order of `NAMES`, float64 [3, T, T].

    Args:
        labels: of training, standardised, float64 [n, T], NaN where missing.
    """
    own = torch.eye(labels.shape[1], dtype=torch.float64, device=labels.device)
    return torch.stack([own, torch.ones_like(own), correlation(labels)])


def correlation(labels: Tensor) -> Tensor:
    """Return correlations of labels as a kernel: float64 [T, T], positive semi-definite, diagonal 1.

    Pearson's over the m items that have both labels, times m / (m + `SHRINKING`), 0 where it is undefined.
    A table of such is none of correlations in general: negative eigenvalues are set to 0.
    """
    there = (~labels.isnan()).to(labels)
    values, known = (csr_array(table.cpu().numpy()) for table in (labels.nan_to_num(0.0), there))
    found = torch.from_numpy(pairwise_correlation(values, known)).to(labels)
    common = there.T @ there
    found = (found * common / (common + SHRINKING)).nan_to_num(0.0).fill_diagonal_(1.0)
    values, vectors = torch.linalg.eigh(found)
    found = vectors * values.clamp(min=0) @ vectors.T
    lengths = found.diagonal().sqrt()  # at least 1: what was taken away was negative
    return found / lengths[:, None] / lengths
