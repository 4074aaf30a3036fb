"""Eq. 9 of Dwivedi et al. (2022) as a walker sees it: step by step, neighbour by neighbour."""

from collections import defaultdict
from collections.abc import Sequence


def return_chances(neighbours: Sequence[Sequence[int]], steps: int) -> list[list[float]]:
    """For each node, the chance that a random walk from it is there again after 1 ... `steps` steps."""
    found = []
    for start in range(len(neighbours)):
        place = {start: 1.0}
        chances = []
        for _ in range(steps):
            after: dict[int, float] = defaultdict(float)
            for node, chance in place.items():
                for neighbour in neighbours[node]:
                    after[neighbour] += chance / len(neighbours[node])
            place = after
            chances.append(place.get(start, 0.0))
        found.append(chances)
    return found
