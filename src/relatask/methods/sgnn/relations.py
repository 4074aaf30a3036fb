"""The relation graph as SGNN walks it, every pair in both directions, and the embeddings of tasks."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from relatask.core.errors import RelataskError
from relatask.methods.sgnn.link_prediction import pretrained
from relatask.nn.contract import TaskContext
from relatask.nn.kernels import segment_sum


class Relations(nn.Module):
    """Directions of P related pairs among T tasks, sorted by the task they belong to; on the model's device.

    `pairs` int64 [2, P] holds each pair once, the lower task first; direction (i, j) is in N(i). A row with
    `graph: none` has no pair.
    """

    pairs: Tensor  # int64 [2, P]
    owner: Tensor  # int64 [2 P]: i of each direction
    other: Tensor  # int64 [2 P]: j
    offsets: Tensor  # int64 [T + 1]: where the directions of each task begin
    degree: Tensor  # float [T]: number of related tasks
    places: Tensor  # int64 [2, P]: where directions (i, j) and (j, i) of each pair stand

    def __init__(self, context: TaskContext, least_score: float):
        super().__init__()
        kept = context.edge_index[:, context.edge_score >= least_score].sort(0).values.cpu()
        n_tasks = self.n_tasks = len(context.task_ids)
        if not kept.shape[1] and not context.without_graph:
            raise RelataskError(
                f"none of the {len(context.edge_score)} relations among the {n_tasks} tasks of a run has a "
                f"score of {least_score} or more, but its method learns from them; lower its option "
                "'least_score', or take another method."
            )
        ends = torch.cat([kept, kept.flip(0)], 1)
        order = (ends[0] * n_tasks + ends[1]).argsort()
        owner, other = ends[:, order]
        degree = torch.bincount(owner, minlength=n_tasks)
        buffers = {
            "pairs": kept,
            "owner": owner,
            "other": other,
            "offsets": F.pad(degree.cumsum(0), (1, 0)),
            "degree": degree.to(torch.get_default_dtype()),
            "places": order.argsort().view(2, kept.shape[1]),
        }
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    def neighbours(self, values: Tensor) -> Tensor:
        """Return the sum over related tasks of values [T, ...] in their shape."""
        summed: Tensor = NeighbourSum.apply(values.flatten(1), self.other, self.offsets)
        return summed.view(values.shape)


class NeighbourSum(Function):
    """Sum over related tasks; every pair is there in both directions, so it is its own transpose."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, other: Tensor, offsets: Tensor) -> Tensor:
        """Sum values [T, w] to [T, w]."""
        ctx.save_for_backward(other, offsets)
        return segment_sum(values.contiguous(), other, offsets)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        """The same sum."""
        return segment_sum(grad.contiguous(), *ctx.saved_tensors), None, None


class TaskGCN(nn.Module):
    """Task embeddings z^(i), [T, width]: appendix C, with the residuals of the authors' code.

    An embedding per task, drawn from the task's own seed; a linear map; then layers of Kipf and Welling
    (2016), each added to what it reads, with ReLU and dropout between them.
    """

    def __init__(self, context: TaskContext, width: int, layers: int, dropout: float):
        super().__init__()
        generators = [torch.Generator().manual_seed(context.seed_of(task)) for task in context.task_ids]
        self.embedding = nn.Parameter(torch.stack([torch.randn(width, generator=g) for g in generators]))
        self.first = nn.Linear(width, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.dropout = dropout

    @torch.no_grad()
    def train_links(self, relations: Relations, epochs: int, context: TaskContext) -> None:
        """Train the embeddings by link prediction for some epochs, see link_prediction.py."""
        if epochs:
            seed = context.seed_of(context.task_ids[0], "links")
            ends = relations.owner, relations.other
            self.embedding.copy_(pretrained(self.embedding, *ends, epochs, seed))

    def forward(self, relations: Relations) -> Tensor:
        """Return the embeddings of all tasks."""
        z = self.first(self.embedding)
        weight = (1 + relations.degree).rsqrt()[:, None]
        for number, layer in enumerate(self.layers):
            if number:
                z = F.dropout(z.relu(), self.dropout, self.training)
            own = weight * layer(z)
            z = z + weight * (own + relations.neighbours(own))
        return z
