"""Estimates that are learned from the gains of task sets drawn at random: what their estimators share."""

from collections.abc import Callable, Iterator

import numpy as np

from relatask.grouping.contract import Estimate, Request
from relatask.grouping.drawn_sets import random_rounds

Learn = Callable[[np.ndarray, np.ndarray], np.ndarray]


def learned_estimates(request: Request, learn: Learn, also: np.ndarray | None = None) -> Iterator[Estimate]:
    """Yield what `learn` makes of K N + 1 sets for each K of the request, as MTG-Net pays for.

    A task alone has gain 0 by definition, and the gains of the sets that were asked for are known; these are
    put in place of what is estimated of them.

    Args:
        request: of the estimator.
        learn: (sets, bool [n, N]; their validation gains, float64 [n, N]) -> estimates of the gains of all
            sets of the request, float64 [S, N].
        also: bool [S], sets that are trained beside those that are drawn; `learn` is not given them.
    """
    gains = request.gains
    answer = request.answer or (lambda row: gains.valid[row])
    found: dict[int, np.ndarray] = {}
    always = np.flatnonzero(also) if also is not None else np.zeros(0, np.int64)
    for number, rows in random_rounds(gains.sets, request.rounds, request.seed, request.held_out):
        for row in [*always.tolist(), *rows]:
            if row not in found:
                found[row] = answer(row)
        estimate = learn(gains.sets[rows], np.array([found[row] for row in rows]))
        table = np.where(gains.sets, estimate, np.nan)
        table[gains.sizes == 1] = np.where(gains.sets[gains.sizes == 1], 0.0, np.nan)
        table[list(found)] = np.array(list(found.values()))
        trained = np.zeros(len(gains.sets), bool)
        trained[list(found)] = True
        yield Estimate(number, request.seed, table, trained)
