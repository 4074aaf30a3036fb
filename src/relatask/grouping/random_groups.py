"""Random groups: what a choice without any estimate of gains is worth (MTG-Net, section 4.1)."""

from dataclasses import dataclass

import numpy as np

from relatask.core.errors import RelataskError
from relatask.grouping.gains import GainTable

TRIED = 65_536  # choices drawn at a time
MOST_TRIES = 400  # times that many, before a budget counts as unable to cover all tasks


@dataclass(frozen=True)
class RandomGains:
    """Mean gains over tasks of random groupings, float64 [draws] each."""

    valid: np.ndarray
    test: np.ndarray


def random_gains(gains: GainTable, budget: int, draws: int, seed: int, outside: str = "never") -> RandomGains:
    """Return the mean gains of `draws` random groupings.

    Task sets are drawn without replacement, all alike, and drawn again until they hold every task; then each
    task is served by the set with its best validation gain.

    Args:
        gains: the table.
        budget: number of sets.
        draws: number of groupings.
        seed: of the draws.
        outside: "never": a task is served by sets that hold it. "as_zero": also by others, with gain 0, as in
            the authors' notebook of Taskonomy, which flatters random groups.

    Raises:
        RelataskError: no drawn choice held every task.
    """
    rng = np.random.default_rng([seed, budget])
    fill = 0.0 if outside == "as_zero" else -np.inf
    valid, test = (np.where(gains.sets, table, fill) for table in (gains.valid, gains.test))
    tasks = np.arange(len(gains.tasks))
    found: list[tuple[np.ndarray, np.ndarray]] = []
    missing = draws
    for _ in range(MOST_TRIES):
        rows = rng.integers(len(gains.sets), size=(TRIED, budget))
        ordered = np.sort(rows, axis=1)
        rows = rows[(ordered[:, 1:] != ordered[:, :-1]).all(1)]
        covered = np.zeros((len(rows), len(gains.tasks)), bool)
        for place in range(budget):
            covered |= gains.sets[rows[:, place]]
        rows = rows[covered.all(1)][:missing]
        best = valid[rows].argmax(1)  # [n, N], which of the drawn sets serves a task
        served = np.take_along_axis(rows, best, 1)
        found.append((valid[served, tasks].mean(1), test[served, tasks].mean(1)))
        missing -= len(rows)
        if not missing:
            return RandomGains(*(np.concatenate(part) for part in zip(*found, strict=True)))
    raise RelataskError(
        f"{budget} random task sets hardly ever hold all {len(gains.tasks)} tasks; raise the budget."
    )
