"""Colours of the relation graph: tasks of one colour are not related, so a sweep updates them at once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from relatask.core.errors import RelataskError


def colour_tasks(edge_index: Tensor, n_tasks: int) -> Tensor:
    """Colour the relation graph greedily, tasks with most relations first (Welsh and Powell, 1967).

    Args:
        edge_index: int64 [2, E], each pair once.
        n_tasks: T.

    Returns:
        int64 [T], colours 0, 1, ... of which no two related tasks have the same; at most one more than the
        largest number of relations of a task.

    Raises:
        RelataskError: a task is related to itself.
    """
    neighbours: list[list[int]] = [[] for _ in range(n_tasks)]
    for first, second in edge_index.t().tolist():
        if first == second:
            raise RelataskError(f"relations: task {first} (from 0) is related to itself; remove that edge.")
        neighbours[first].append(second)
        neighbours[second].append(first)
    colours = [-1] * n_tasks
    for task in sorted(range(n_tasks), key=lambda task: -len(neighbours[task])):
        taken = {colours[other] for other in neighbours[task]}
        colours[task] = next(colour for colour in range(n_tasks) if colour not in taken)
    return torch.tensor(colours, dtype=torch.int64)


@dataclass(frozen=True)
class Colour:
    """n tasks without relations among them, and their d relations to tasks of other colours.

    Places are positions in `Schedule.tasks`, directions are positions in `Schedule.edges`.
    """

    tasks: slice  # places
    directions: slice
    owners: Tensor  # int64 [d]: which of the n tasks a direction leads to
    neighbours: Tensor  # int64 [d]: place of the task it comes from


@dataclass(frozen=True)
class Schedule:
    """T tasks and 2 E directions of edges in the order in which a sweep goes through them."""

    tasks: Tensor  # int64 [T]: task of each place, colour by colour
    places: Tensor  # int64 [T]: place of each task
    edges: Tensor  # int64 [2 E]: edge of each direction
    colours: tuple[Colour, ...]

    @classmethod
    def of(cls, edge_index: Tensor, n_tasks: int) -> "Schedule":
        """Return the schedule of a relation graph, `edge_index` int64 [2, E] with each pair once."""
        colour_of = colour_tasks(edge_index, n_tasks).to(edge_index.device)
        tasks = colour_of.argsort(stable=True)
        places = torch.empty_like(tasks)
        places[tasks] = torch.arange(n_tasks, device=tasks.device)
        ends = places[torch.cat([edge_index, edge_index.flip(0)], 1)]  # [2, 2 E]: owner and neighbour
        order = ends[0].argsort(stable=True)
        ends = ends[:, order]
        edges = order % max(edge_index.shape[1], 1)
        starts = torch.bincount(colour_of).cumsum(0).tolist() if n_tasks else []
        colours, start, first = [], 0, 0
        for stop in starts:
            last = int((ends[0] < stop).sum())
            owners, neighbours = ends[:, first:last].clone()
            colours.append(Colour(slice(start, stop), slice(first, last), owners - start, neighbours))
            start, first = stop, last
        return cls(tasks, places, edges, tuple(colours))
