"""TAG: a task's gain in a set is the mean affinity of its partners onto it (Fifty et al., 2021)."""

from collections.abc import Iterator

from relatask.core.errors import RelataskError
from relatask.grouping.averages import average_over_partners
from relatask.grouping.contract import Estimate, Request

ESTIMATOR = {"summary": "mean affinity", "reads": ("affinities",), "predicts": False}


def estimate(request: Request) -> Iterator[Estimate]:
    """Yield mean affinities, which have a scale of their own.

    Raises:
        RelataskError: there are no affinities.
    """
    gains = request.gains
    if request.affinities is None:
        raise RelataskError(f"strategy {request.label}: there are no affinities of tasks; leave it out.")
    table = average_over_partners(request.affinities, gains.sets)
    yield Estimate(None, request.seed, table, gains.sizes == len(gains.tasks))
