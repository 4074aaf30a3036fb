"""Ridge regression on indicators of tasks and of pairs: gains are sums over partners."""

from collections.abc import Iterator

from relatask.grouping.additive import additive_gains
from relatask.grouping.contract import Estimate, Request
from relatask.grouping.learned import learned_estimates

ESTIMATOR = {
    "summary": "ridge regression on tasks and pairs",
    "keys": ("rounds",),
    "draws": True,
    "asks": True,
}


def estimate(request: Request) -> Iterator[Estimate]:
    """Yield what the regression says after each number of rounds; its penalty is cross-validated."""
    wanted, seed = request.gains.sets, request.seed
    yield from learned_estimates(request, lambda sets, gains: additive_gains(sets, gains, wanted, seed))
