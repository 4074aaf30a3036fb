"""HOA: a task's gain in a set is the mean of its gains in pairs (Standley et al., 2020)."""

from collections.abc import Iterator

import numpy as np

from relatask.core.errors import RelataskError
from relatask.grouping.averages import average_over_partners
from relatask.grouping.contract import Estimate, Request

ESTIMATOR = {"summary": "mean over pairs"}


def estimate(request: Request) -> Iterator[Estimate]:
    """Yield the mean over each task's partners of its gain with each alone.

    Raises:
        RelataskError: a pair was not trained.
    """
    gains = request.gains
    pairs = gains.pair_gains()
    if np.isnan(pairs).sum() > len(gains.tasks):  # more than the diagonal
        raise RelataskError(f"strategy {request.label}: HOA needs all pairs; set task_sets.pairs: true.")
    yield Estimate(None, request.seed, average_over_partners(pairs, gains.sets), gains.sizes == 2)
