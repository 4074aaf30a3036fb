"""Conjugate gradients on the cells of a table that hold a label (Hestenes and Stiefel, 1952)."""

import torch
from torch import Tensor

from relatask.core.errors import RelataskError

MOST = 20_000  # iterations; real tables take some hundred


def solve(
    items: Tensor,
    tasks: Tensor,
    labels: Tensor,
    known: Tensor,
    penalty: float | Tensor,
    tolerance: float,
    start: Tensor | None = None,
) -> Tensor:
    """Return a [n, T], 0 where no label is, of (R (K_m x K_t) R^T + penalty I) a = y.

    R picks the labelled cells of the table of n items and T tasks, and x is the Kronecker product, which is
    never formed: with a laid out as a table, one multiplication is K_m a K_t, 2 n T (n + T) operations.

    Args:
        items: K_m, [n, n], positive semi-definite.
        tasks: K_t, [T, T], positive semi-definite.
        labels: y, [n, T], 0 where there is none.
        known: [n, T], 1 where there is a label, else 0; of the type of the others.
        penalty: above 0; [n, T] where cells differ in it.
        tolerance: largest norm of what is left of y, in norms of y.
        start: [n, T], a first guess.

    Raises:
        RelataskError: the penalty is too small for these labels.
    """
    found = torch.zeros_like(labels) if start is None else start.clone()
    left = labels if start is None else labels - _product(items, tasks, found, known, penalty)
    enough = tolerance**2 * labels.square().sum()
    direction, size = left.clone(), left.square().sum()
    for _ in range(MOST):
        if size <= enough:
            return found
        image = _product(items, tasks, direction, known, penalty)
        step = size / (direction * image).sum()
        found += step * direction
        left = left - step * image
        before, size = size, left.square().sum()
        direction = left + size / before * direction
    raise RelataskError(f"{MOST} conjugate gradients do not fit the labels; take a larger `penalty`.")


def _product(items: Tensor, tasks: Tensor, table: Tensor, known: Tensor, penalty: float | Tensor) -> Tensor:
    return known * (items @ (table @ tasks)) + penalty * table
