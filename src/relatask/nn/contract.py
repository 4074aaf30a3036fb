"""What a method may know of the tasks it learns."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    """What every module of relatask.encoders builds: x of B items -> [B, width]."""

    width: int


@dataclass(frozen=True)
class TaskContext:
    """The T tasks of a run and the relation graph among them."""

    task_ids: list[str]
    edge_index: Tensor  # int64 [2, E]: positions in task_ids, each pair once
    edge_score: Tensor  # float32 [E], 0 to 1
    seed_of: Callable[[str], int]  # task id -> seed of what belongs to that task alone


def task_linear(width: int, context: TaskContext) -> nn.Linear:
    """Return a linear map [.., width] -> [.., T] whose rows are drawn from each task's own seed.

    So a task starts from the same head whichever tasks it is learned with, and in whichever order.
    """
    heads = nn.Linear(width, len(context.task_ids))
    bound = width**-0.5  # as nn.Linear's own initialisation
    with torch.no_grad():
        for row, task in enumerate(context.task_ids):
            generator = torch.Generator().manual_seed(context.seed_of(task))
            draw = torch.empty(width + 1).uniform_(-bound, bound, generator=generator)
            heads.weight[row], heads.bias[row] = draw[:-1], draw[-1]
    return heads
