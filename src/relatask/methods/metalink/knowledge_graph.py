"""MetaLink's graph of items and tasks (section 3): edges are known labels, layers eq. 2 as extended there.

Labels are 0 or 1, so an item sends a task one of two messages, relu(W h) or relu(W h + O), and so does a
task an item. The sum of the messages along all edges is therefore a product of two [B, T] matrices of 0 and 1
with two matrices of messages: nothing has the size of edges x width.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

PAIRS = 4_000_000  # hidden values of the pair predictor that are in memory at a time


@dataclass(frozen=True)
class KnownLabels:
    """The edges: which of T labels of B items are known, and what they are; of several graphs, too.

    The first `n_query` items receive messages from tasks and send none. So what is predicted of such an item
    does not depend on the items beside it.
    """

    negative: Tensor  # float32 [.., B, T]: 1 where a label 0 is known
    positive: Tensor  # float32 [.., B, T]: 1 where a label 1 is known
    n_query: int = 0

    @classmethod
    def of(cls, labels: Tensor, known: Tensor | None = None) -> "KnownLabels":
        """Take labels [B, T] (0, 1, or NaN where missing) where `known` [B, T] says so, or all there are."""
        shown = labels if known is None else torch.where(known, labels, torch.nan)
        return cls((shown == 0).to(shown.dtype), (shown == 1).to(shown.dtype))

    def to_items(self, zero: Tensor, one: Tensor) -> Tensor:
        """Return the mean message to each item [.., B, w] of tasks' messages [.., T, w] for label 0 and 1."""
        degree = (self.negative + self.positive).sum(-1, keepdim=True)
        return (self.negative @ zero + self.positive @ one) / degree.clamp(min=1)

    def to_tasks(self, zero: Tensor, one: Tensor) -> Tensor:
        """Return the mean message to each task [.., T, w] of items' messages [.., B, w] for label 0 and 1."""
        negative = self.negative[..., self.n_query :, :]
        positive = self.positive[..., self.n_query :, :]
        degree = (negative + positive).sum(-2)[..., None]
        messages = negative.mT @ zero[..., self.n_query :, :] + positive.mT @ one[..., self.n_query :, :]
        return messages / degree.clamp(min=1)


class KnowledgeLayer(nn.Module):
    """U concat(mean of relu(W h_u + O y) over known labels, h_v), W by the direction unless `shared`."""

    def __init__(self, width: int, shared: bool):
        super().__init__()
        self.from_items = nn.Linear(width, width)
        self.from_tasks = self.from_items if shared else nn.Linear(width, width)
        self.label = nn.Parameter(torch.empty(width).uniform_(-1, 1))  # O, of a label of 1
        self.update = nn.Linear(2 * width, width)

    def forward(self, items: Tensor, tasks: Tensor, known: KnownLabels) -> tuple[Tensor, Tensor]:
        """Return the next states of items [.., B, w] and tasks [.., T, w]."""
        sent = self.from_items(items)
        to_tasks = known.to_tasks(sent.relu(), (sent + self.label).relu())
        sent = self.from_tasks(tasks)
        to_items = known.to_items(sent.relu(), (sent + self.label).relu())
        items = self.update(torch.cat([to_items, items], -1))
        return items, self.update(torch.cat([to_tasks, tasks], -1))


class PairSum(Function):
    """Sum over k of v_k relu(a_ik + b_jk) for all i and j, a few items at a time, forward and backward."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, v: Tensor) -> Tensor:
        """Score items a [B, w] with tasks b [T, w] by v [w]: [B, T]."""
        ctx.save_for_backward(a, b, v)
        return torch.cat([(part[:, None] + b).relu_() @ v for part in a.split(_rows(b))])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The hidden values are made again."""
        a, b, v = ctx.saved_tensors
        to_a, to_b, to_v = [], torch.zeros_like(b), torch.zeros_like(v)
        for part, seen in zip(a.split(_rows(b)), grad.split(_rows(b)), strict=True):
            hidden = (part[:, None] + b).relu_()
            to_v += torch.einsum("ij,ijk->k", seen, hidden)
            active = (hidden > 0).to(v.dtype)
            to_a.append(torch.einsum("ij,ijk->ik", seen, active) * v)
            to_b += torch.einsum("ij,ijk->jk", seen, active) * v
        return torch.cat(to_a), to_b, to_v


def _rows(tasks: Tensor) -> int:
    return max(1, PAIRS // max(1, tasks.numel()))


class PairPredictor(nn.Module):
    """A perceptron of one hidden layer on the concatenated states of an item and a task."""

    def __init__(self, width: int):
        super().__init__()
        self.items = nn.Linear(width, width)
        self.tasks = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, 1)

    def forward(self, items: Tensor, tasks: Tensor) -> Tensor:
        """Return the scores [B, T] of items [B, w] and tasks [T, w]."""
        scores: Tensor = PairSum.apply(self.items(items), self.tasks(tasks), self.out.weight[0])
        return scores + self.out.bias


def dot(items: Tensor, tasks: Tensor) -> Tensor:
    """Return the scores [B, T] of items [B, w] and tasks [T, w] as the plain network's: dot products."""
    return F.linear(items, tasks)
