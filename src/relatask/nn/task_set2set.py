"""Set2Set (Vinyals et al., 2016) of T networks over the parts of the same items."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from relatask.nn.attention import softmax_within
from relatask.nn.kernels import segment_sum
from relatask.nn.task_gcn import TaskLinear


class TaskSet2Set(nn.Module):
    """States [N, T, w] of the parts of B items -> [B, T, 2 w]: an LSTM that reads them by attention.

    Each step asks all parts with its output q, r is their mean under a softmax over q's products with them,
    and (q, r) is what the next step reads and what is returned in the end.
    """

    def __init__(self, n_tasks: int, width: int, steps: int):
        super().__init__()
        self.steps, self.width = steps, width
        self.read = TaskLinear(n_tasks, 2 * width, 4 * width)
        self.keep = TaskLinear(n_tasks, width, 4 * width, bias=False)
        bound = width**-0.5  # as nn.LSTM
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound)

    def forward(self, states: Tensor, owner: Tensor, n_items: int, plain: bool = False) -> Tensor:
        """Return the embeddings [B, T, 2 w].

        Args:
            states: [N, T, w].
            owner: int64 [N], rising, the item that a part is of.
            n_items: B.
            plain: whether by operations that have second derivatives.
        """
        parts = Parts(owner, n_items, states.shape[1])
        shape = (n_items, *states.shape[1:])
        hidden, cell = states.new_zeros(shape), states.new_zeros(shape)
        answer = states.new_zeros(*shape[:-1], 2 * self.width)
        for _ in range(self.steps):
            gates = self.read(answer) + self.keep(hidden)
            enter, forget, new, leave = gates.chunk(4, -1)  # in torch's order
            cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
            hidden = leave.sigmoid() * cell.tanh()
            if plain:
                weights = softmax_within((states * hidden.index_select(0, owner)).sum(-1), owner, n_items)
                weights = weights.to(states.dtype)  # autocast makes a softmax's float32
                found = states.new_zeros(shape).index_add(0, owner, weights[..., None] * states)
            else:
                found = Attention.apply(states, hidden, parts)
            answer = torch.cat([hidden, found], -1)
        return answer


class Parts:
    """The parts of B items in T networks, so that sums over an item's parts read states [N, T, w] once.

    Args:
        owner: int64 [N], rising, the item that a part is of.
        n_items: B.
        n_tasks: T.
    """

    def __init__(self, owner: Tensor, n_items: int, n_tasks: int):
        self.owner, self.n_items = owner, n_items

        def count(n: int) -> Tensor:
            return torch.arange(n, device=owner.device)

        sizes = torch.bincount(owner, minlength=n_items)
        starts = sizes.cumsum(0) - sizes
        begin = n_tasks * starts[:, None] + sizes[:, None] * count(n_tasks)  # [B, T]
        within = count(len(owner)) - starts[owner]
        place = (begin[owner] + within[:, None]).flatten()  # [N T], by item, then by task
        self.order = torch.empty_like(place).scatter_(0, place, count(len(place)))
        self.offsets = torch.cat([begin.flatten(), begin.new_full((1,), len(place))])

    def sums(self, states: Tensor, weights: Tensor) -> Tensor:
        """Return the sums [B, T, w] of states [N, T, w] times weights [N, T] over each item's parts."""
        ordered = weights.flatten()[self.order]
        summed = segment_sum(states.flatten(0, 1), self.order, self.offsets, weights=ordered)
        return summed.view(self.n_items, *states.shape[1:])

    def of_owner(self, values: Tensor) -> Tensor:
        """Return values [B, ...] of items for each of their parts, [N, ...]."""
        return values.index_select(0, self.owner)


class Attention(Function):
    """The mean of an item's parts under a softmax of a query's products with them."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, query: Tensor, parts: Parts) -> Tensor:
        """Return the means [B, T, w] of states [N, T, w] under queries [B, T, w]."""
        asked = parts.of_owner(query.to(states.dtype))
        weights = softmax_within(asked.mul_(states).sum(-1), parts.owner, parts.n_items)
        ctx.save_for_backward(states, query, weights)
        ctx.parts = parts
        return parts.sums(states, weights)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        """Through the mean, the softmax and the products."""
        (states, query, weights), parts = ctx.saved_tensors, ctx.parts
        own = parts.of_owner(grad)
        of_weights = (own * states).sum(-1)
        mean = torch.zeros_like(grad[..., 0]).index_add_(0, parts.owner, weights * of_weights)
        of_scores = weights * (of_weights - parts.of_owner(mean))
        of_states = own.mul_(weights[..., None])
        of_states.addcmul_(of_scores[..., None], parts.of_owner(query.to(states.dtype)))
        return of_states, parts.sums(states, of_scores).to(query.dtype), None
