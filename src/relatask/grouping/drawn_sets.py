"""Which task sets are drawn: those that every strategy is judged on, and those that one learns from."""

from collections.abc import Iterator, Sequence

import numpy as np

from relatask.core.errors import RelataskError


def held_out_sets(sets: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return the task sets that no strategy may ask for under a seed, so that all are judged on the same.

    They are drawn evenly from the sets of three tasks or more but that of all tasks: HOA needs all pairs, TAG
    and MTG-Net all tasks.

    Args:
        sets: bool [S, N].
        share: of the sets that may be drawn, from 0 to below 1; at least one is drawn unless it is 0.
        seed: of the draw.

    Returns:
        bool [S].

    Raises:
        RelataskError: there is no set that may be drawn.
    """
    chosen, sizes = np.zeros(len(sets), bool), sets.sum(1)
    candidates = np.flatnonzero((sizes > 2) & (sizes < sets.shape[1]))
    if share and not len(candidates):
        raise RelataskError("grouping.held_out: no task set has three tasks or more, but not all; remove it.")
    if share:
        rng = np.random.default_rng([seed, len(sets), sets.shape[1]])
        chosen[rng.permutation(candidates)[: max(1, round(share * len(candidates)))]] = True
    return chosen


def random_rounds(
    sets: np.ndarray, rounds: Sequence[int], seed: int, held_out: np.ndarray | None = None
) -> Iterator[tuple[int, list[int]]]:
    """Yield (K, rows) for each of `rounds`: all tasks, then K times a random set that holds each task.

    They are the sets that MTG-Net learns from with `selection: random` under the same seed (a test), so that
    what differs between the two is the estimate alone.

    Args:
        sets: bool [S, N]; one of them holds all tasks.
        rounds: ascending numbers K.
        seed: of the draws.
        held_out: bool [S], sets that must not be drawn.
    """
    n_tasks, sizes = sets.shape[1], sets.sum(1)
    rng = np.random.default_rng([seed, n_tasks])
    everything = int(np.flatnonzero(sizes == n_tasks)[0])
    chosen, open_ = [everything], sizes > 1
    open_[everything] = False
    if held_out is not None:
        open_ &= ~held_out
    for number in range(1, rounds[-1] + 1):
        for task in range(n_tasks):
            rows = np.flatnonzero(open_ & sets[:, task])
            if len(rows):
                chosen.append(int(rows[np.argmax(rng.gumbel(size=len(rows)))]))  # as MTG-Net with alpha = 0
                open_[chosen[-1]] = False
        if number in rounds:
            yield number, list(chosen)
