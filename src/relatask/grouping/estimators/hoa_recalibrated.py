"""HOA with the slope and offset that make its means over pairs fit the gains of greater sets."""

from collections.abc import Iterator

import numpy as np

from relatask.core.errors import RelataskError
from relatask.grouping.averages import average_over_partners
from relatask.grouping.contract import Estimate, Request
from relatask.grouping.learned import learned_estimates

ESTIMATOR = {
    "summary": "mean over pairs, its slope and offset fitted to greater sets",
    "keys": ("rounds",),
    "draws": True,
}


def estimate(request: Request) -> Iterator[Estimate]:
    """Yield offset + slope x HOA; all pairs are trained, and the sets that are drawn as of MTG-Net.

    The two numbers are fitted by least squares to the gains in the drawn sets of three tasks or more. Where
    HOA says the same of all of them, it stays as it is but for the offset.

    Raises:
        RelataskError: a pair was not trained.
    """
    known = request.gains
    pairs = known.pair_gains()
    if np.isnan(pairs).sum() > len(known.tasks):  # more than the diagonal
        raise RelataskError(f"strategy {request.label}: HOA needs all pairs; set task_sets.pairs: true.")
    said = average_over_partners(pairs, known.sets)

    def learn(sets: np.ndarray, gains: np.ndarray) -> np.ndarray:
        cells = sets & (sets.sum(1) > 2)[:, None]
        means, true = average_over_partners(pairs, sets)[cells], gains[cells]
        spread = np.var(means)
        slope = np.cov(means, true, bias=True)[0, 1] / spread if spread > 0 else 1.0
        return true.mean() + slope * (said - means.mean()) if len(true) else said

    yield from learned_estimates(request, learn, also=known.sizes == 2)
