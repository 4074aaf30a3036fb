"""Which task sets are trained: all, or a draw; pure Python, because the plan is made without numpy."""

import hashlib
import random
from collections.abc import Sequence
from itertools import combinations
from math import comb

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json

TaskSet = tuple[str, ...]
MOST_TASKS = 16  # 65,535 sets


def task_set_id(tasks: Sequence[str]) -> str:
    """Name a task set by its content: twelve hex digits of the SHA-256 of its sorted tasks."""
    return hashlib.sha256(canonical_json(sorted(tasks)).encode()).hexdigest()[:12]


def all_task_sets(tasks: Sequence[str]) -> list[TaskSet]:
    """Return the 2^N - 1 sets of `tasks`, by size and then in the order of `tasks`.

    Raises:
        RelataskError: N is above 16.
    """
    if len(tasks) > MOST_TASKS:
        raise RelataskError(
            f"{len(tasks)} tasks have {2 ** len(tasks) - 1:,} task sets; all are trained for at most "
            f"{MOST_TASKS} tasks: choose select: random."
        )
    return [chosen for size in range(1, len(tasks) + 1) for chosen in combinations(tasks, size)]


def sample_task_sets(tasks: Sequence[str], count: int, seed: int, pairs: bool = True) -> list[TaskSet]:
    """Return `count` sets: each task alone, all tasks, all pairs, then sets of random sizes, none twice.

    A greater `count` with the same seed adds sets and changes none. A size is drawn evenly from 3 (2 without
    pairs) to N - 1 and then its tasks, so that middle sizes do not drown the others.

    Args:
        tasks: N task ids.
        count: number of sets.
        seed: of the draw.
        pairs: whether all pairs are among them.

    Raises:
        RelataskError: there are fewer sets than `count`, or more that must be among them.
    """
    least = 2 if not pairs else 3
    fixed: list[TaskSet] = [(task,) for task in tasks]
    fixed += [tuple(tasks)] if len(tasks) > 1 else []
    fixed += list(combinations(tasks, 2)) if pairs and len(tasks) > 2 else []
    available = len(fixed) + sum(comb(len(tasks), size) for size in range(least, len(tasks)))
    if not len(fixed) <= count <= available:
        raise RelataskError(
            f"count: {len(tasks)} tasks give from {len(fixed)} (those that must be among them) to "
            f"{available} task sets, not {count}."
        )
    draw = random.Random(f"{seed} {canonical_json(list(tasks))}")
    chosen = set(fixed)
    result = list(fixed)
    left = {size: comb(len(tasks), size) for size in range(least, len(tasks))}
    while len(result) < count:
        size = draw.choice([size for size, number in left.items() if number])
        drawn = tuple(tasks[place] for place in sorted(draw.sample(range(len(tasks)), size)))
        if drawn not in chosen:
            chosen.add(drawn)
            result.append(drawn)
            left[size] -= 1
    return result
