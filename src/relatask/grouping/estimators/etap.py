"""ETAP: the affinity of a task's partners bent by a spline, and a regularised residual (Ayman et al., 2026).

arXiv 2602.18591, ICLR 2026. The base is a regression of gains on B-splines of the mean affinity of a task's
partners, one for all tasks, its knots and degree by cross-validation; the residual is a ridge regression of
each task on indicators of the set's tasks. As in the authors' code, but for three things: the affinities are
TAG's lookaheads, which are the authors' products of gradients to first order; folds part whole sets, not the
tasks of a set; and the residual of a task is learned from the sets that hold it alone.
"""

from collections.abc import Iterator

import numpy as np
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from relatask.core.errors import RelataskError
from relatask.grouping.additive import FOLDS, additive_gains
from relatask.grouping.averages import average_over_partners
from relatask.grouping.contract import Estimate, Request
from relatask.grouping.learned import learned_estimates

ESTIMATOR = {
    "summary": "spline of the mean affinity, and a ridge residual",
    "keys": ("rounds",),
    "reads": ("affinities",),
    "draws": True,
}
PENALTY = 0.01  # of the spline; the authors have none, and bends without points between knots explode
DEGREES, KNOTS = (2, 3), (2, 3, 5, 8)  # the authors: degrees 2 to 6, up to sqrt(n) + 4 knots


def estimate(request: Request) -> Iterator[Estimate]:
    """Yield base and residual after each number of rounds.

    Raises:
        RelataskError: there are no affinities.
    """
    wanted, seed = request.gains.sets, request.seed
    if request.affinities is None:
        raise RelataskError(f"strategy {request.label}: there are no affinities of tasks; leave it out.")
    affinities = request.affinities

    def learn(sets: np.ndarray, gains: np.ndarray) -> np.ndarray:
        base = Base(average_over_partners(affinities, sets), gains)
        left = gains - base(average_over_partners(affinities, sets))
        found = base(average_over_partners(affinities, wanted))
        return found + additive_gains(sets, left, wanted, seed)

    yield from learned_estimates(request, learn)


class Base:
    """Gains as a function of mean affinity, one for all tasks.

    Args:
        means: float64 [n, N], mean affinity of the partners, NaN outside the sets and where unknown.
        gains: float64 [n, N].
    """

    def __init__(self, means: np.ndarray, gains: np.ndarray):
        cells = ~np.isnan(means) & ~np.isnan(gains)
        model = make_pipeline(SplineTransformer(include_bias=False), Ridge(PENALTY))
        grid = {"splinetransformer__degree": DEGREES, "splinetransformer__n_knots": KNOTS}
        set_of = np.nonzero(cells)[0]
        x, y, n_sets = means[cells][:, None], gains[cells], len(np.unique(set_of))
        if n_sets < FOLDS or not np.ptp(x):  # too little to bend
            self.model = LinearRegression().fit(x, y)
        else:
            search = GridSearchCV(model, grid, cv=GroupKFold(FOLDS), scoring="neg_mean_squared_error")
            self.model = search.fit(x, y, groups=set_of)

    def __call__(self, means: np.ndarray) -> np.ndarray:
        """Return the gains that mean affinities (float64, NaN where unknown) say, of the same shape."""
        found, known = np.full(means.shape, np.nan), ~np.isnan(means)
        found[known] = self.model.predict(means[known][:, None])
        return found
