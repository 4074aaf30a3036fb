"""An estimator of groups: a task gains in a set what it gains with its best partner in the set."""

from collections.abc import Iterator

import numpy as np

from relatask.grouping.contract import Estimate, Request

ESTIMATOR = {  # a literal: the plan reads it without importing the file
    "summary": "gain with the best partner",
    "options": {"discount": 1.0},  # name -> default, which also fixes the type
    "limits": {"discount": (0.0, 1.0)},
}


def estimate(request: Request) -> Iterator[Estimate]:
    """Yield one estimate; only gains of pairs are read."""
    gains = request.gains
    pairs = gains.pair_gains()  # [N, N], entry [t, b] is what t gains with b
    table = np.full(gains.sets.shape, np.nan)
    for row, member in enumerate(gains.sets):
        for task in np.flatnonzero(member):
            partners = np.flatnonzero(member & (np.arange(len(member)) != task))
            best = np.nanmax(pairs[task, partners]) if len(partners) else 0.0
            table[row, task] = request.options["discount"] * best
    yield Estimate(None, request.seed, table, gains.sizes == 2)
