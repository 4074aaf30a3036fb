"""Gains as sums over partners: a ridge regression on indicators of tasks and of pairs of tasks."""

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

PENALTIES = np.logspace(-1, 3, 9)  # of squared weights, tried by cross-validation
FOLDS = 5


def additive_gains(sets: np.ndarray, gains: np.ndarray, wanted: np.ndarray, seed: int) -> np.ndarray:
    """Return estimated gains: the gain of task t in set S is a_t plus the sum of w_tb over its partners b.

    The a_t, a task's own, carry no penalty, so that the estimate falls back to the task's mean gain; the
    weights w_tb of pairs do. The regression parts into one for each task on N - 1 indicators of partners,
    with one penalty for all, by 5-fold cross-validation of the squared error over whole sets. Where it has
    one set only, the greatest is taken. Memory is that of the tables.

    Args:
        sets: bool [n, N], whose gains are known; each task is in one of them at least.
        gains: float64 [n, N], NaN outside the sets and where unknown.
        wanted: bool [S, N].
        seed: of the folds.

    Returns:
        float64 [S, N]; what it says of tasks outside the sets means nothing.
    """
    errors = np.zeros(len(PENALTIES))
    if len(sets) > 1:
        folds = KFold(min(FOLDS, len(sets)), shuffle=True, random_state=seed)
        for known, left in folds.split(sets):
            found = _predicted(sets[known], gains[known], sets[left], PENALTIES)
            errors += np.nansum(np.where(sets[left], found - gains[left], np.nan) ** 2, axis=(1, 2))
    # of equal penalties the greatest
    penalty = PENALTIES[len(PENALTIES) - 1 - int(np.argmin(errors[::-1]))]
    return _predicted(sets, gains, wanted, np.array([penalty]))[0]


def _predicted(sets: np.ndarray, gains: np.ndarray, wanted: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Gains by each penalty, float64 [P, S, N]; a task that no set holds gets the mean of all gains."""
    n_tasks = sets.shape[1]
    found = np.full((len(penalties), len(wanted), n_tasks), np.nanmean(gains))
    for task in range(n_tasks):
        known = np.flatnonzero(sets[:, task] & ~np.isnan(gains[:, task]))
        if len(known):
            partners = np.arange(n_tasks) != task
            targets = np.repeat(gains[known, task][:, None], len(penalties), 1)
            model = Ridge(alpha=penalties).fit(sets[known][:, partners].astype(float), targets)
            found[:, :, task] = model.predict(wanted[:, partners].astype(float)).reshape(len(wanted), -1).T
    return found
