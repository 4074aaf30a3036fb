"""Groups: the task sets, at most as many as a budget allows, that serve all tasks best (MTG-Net, 3.1)."""

from dataclasses import dataclass, replace

import numpy as np

from relatask.core.errors import RelataskError

EXACT_SETS = 64  # up to this many candidates the search is exact
STARTS = 5  # of the beam search, as in the code of the authors
ABSENT = -1e6  # value of a task outside a set: far below any sum of gains, and sums of it stay finite
LEAST = 1e-12  # a group that adds less to the sum over tasks is not worth a network


@dataclass(frozen=True)
class Limits:
    """What a choice of groups may cost."""

    budget: int  # most groups
    max_size: int | None = None  # most tasks in a group
    costs: np.ndarray | None = None  # float64 [S], of training each set; None: 1 each
    max_cost: float | None = None  # most of the groups' costs together


@dataclass(frozen=True)
class Grouping:
    """Chosen groups; each task is served by the one that is estimated best for it."""

    rows: list[int]  # chosen task sets, positions in the table of gains
    serves: np.ndarray  # int64 [N], position in `rows` of the group that serves each task
    value: float  # mean over tasks of the estimate where they are served

    def served(self, table: np.ndarray) -> np.ndarray:
        """Return what `table` [S, N] says of each task in the group that serves it, float64 [N]."""
        return table[np.array(self.rows)[self.serves], np.arange(len(self.serves))]


def choose_groups(estimate: np.ndarray, limits: Limits, exact: bool | None = None) -> Grouping:
    """Choose at most `limits.budget` sets that cover all tasks and have the greatest mean served estimate.

    Args:
        estimate: float64 [S, N], NaN outside a set.
        limits: what the choice may cost.
        exact: branch and bound, else beam search; default: exact up to 64 sets.

    Raises:
        RelataskError: no choice within the limits was found that covers all tasks.
    """
    value = np.where(np.isnan(estimate), ABSENT, estimate)
    costs = np.ones(len(value)) if limits.costs is None else limits.costs
    allowed = np.ones(len(value), bool)
    if limits.max_size is not None:
        allowed = (value > ABSENT).sum(1) <= limits.max_size
    limits, number = replace(limits, costs=costs[allowed]), np.flatnonzero(allowed)
    search = branch_and_bound if (len(number) <= EXACT_SETS if exact is None else exact) else beam_search
    rows = search(value[allowed], limits)
    if rows is None:
        raise RelataskError(
            f"no choice of {limits.budget} groups within the limits holds every task; allow more, greater or "
            "costlier groups."
        )
    chosen = sorted(int(number[row]) for row in rows)
    return Grouping(chosen, value[chosen].argmax(0), float(value[chosen].max(0).mean()))


def branch_and_bound(value: np.ndarray, limits: Limits) -> list[int] | None:
    """Return the best rows of `value` [S, N], or None where none cover all tasks; among equals, few.

    The sum over tasks of the best value among chosen rows is submodular: rows together add at most what
    each adds alone. So a branch ends where the greatest additions that are left could not beat the best
    choice found, and neither could serving each task by its best row that is left.
    """
    best: tuple[float, list[int]] = (ABSENT / 2, [])  # where a task is not covered, the sum is below

    def descend(rows: np.ndarray, served: np.ndarray, chosen: list[int], money: float) -> None:
        nonlocal best
        total = served.sum()
        if total > best[0] + LEAST:
            best = (total, chosen)
        left = limits.budget - len(chosen)
        added = np.maximum(value[rows], served).sum(1) - total
        useful = (added > LEAST) & (limits.costs[rows] <= money)  # type: ignore[index]
        order = np.argsort(-added[useful], kind="stable")
        rows, added = rows[useful][order], added[useful][order]
        if not left or not len(rows):
            return
        if left == 1:
            if total + added[0] > best[0] + LEAST:
                best = (total + added[0], [*chosen, int(rows[0])])
            return
        ahead = np.maximum(np.maximum.accumulate(value[rows[::-1]])[::-1], served).sum(1)
        sums = np.concatenate([[0.0], added.cumsum()])
        reach = total + sums[np.minimum(np.arange(len(rows)) + left, len(rows))] - sums[:-1]
        for place, row in enumerate(rows):
            if min(reach[place], ahead[place]) <= best[0] + LEAST:
                return
            rest = money - limits.costs[row]  # type: ignore[index]
            descend(rows[place + 1 :], np.maximum(served, value[row]), [*chosen, int(row)], rest)

    money = np.inf if limits.max_cost is None else limits.max_cost * (1 + 1e-12)
    descend(np.arange(len(value)), np.full(value.shape[1], ABSENT), [], money)
    return best[1] or None


def beam_search(value: np.ndarray, limits: Limits) -> list[int] | None:
    """Return good rows of `value` [S, N], or None where no beam covers all tasks.

    As MTG-Net's authors: each of the 5 sets with the greatest sums starts a beam, and each beam takes the
    set that adds most until the budget is spent or nothing adds. The beam with the greatest sum wins.
    """
    money = np.inf if limits.max_cost is None else limits.max_cost * (1 + 1e-12)
    costs = limits.costs
    assert costs is not None
    affordable = np.flatnonzero(costs <= money)
    starts = affordable[np.argsort(-value[affordable].sum(1), kind="stable")[:STARTS]]
    beams = []
    for start in starts:
        chosen, served, spent = [int(start)], value[start], costs[start]
        while len(chosen) < limits.budget:
            added = np.maximum(value - served, 0.0).sum(1)
            added[spent + costs > money] = 0.0
            row = int(added.argmax())
            if added[row] <= LEAST:
                break
            chosen, served, spent = [*chosen, row], np.maximum(served, value[row]), spent + costs[row]
        beams.append((float(served.sum()), chosen, served.min() > ABSENT))
    covering = [beam for beam in beams if beam[2]]
    return max(covering, key=lambda beam: beam[0])[1] if covering else None
