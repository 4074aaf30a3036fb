"""Set2Set (Vinyals et al., 2016) of T networks over the parts of the same items."""

from typing import Any

import torch
import torch.nn.functional as F
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
        offsets = F.pad(torch.bincount(owner, minlength=n_items).cumsum(0), (1, 0))
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
                found = states.new_zeros(shape).index_add(0, owner, weights[..., None] * states)
            else:
                found = Attention.apply(states, hidden, owner, offsets)
            answer = torch.cat([hidden, found], -1)
        return answer


class Attention(Function):
    """The mean of an item's parts under a softmax of a query's products with them."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, query: Tensor, owner: Tensor, offsets: Tensor) -> Tensor:
        """Return the means [B, T, w] of states [N, T, w] under queries [B, T, w]."""
        asked = query.to(states.dtype).index_select(0, owner)
        weights = softmax_within(asked.mul_(states).sum(-1), owner, len(query))
        ctx.save_for_backward(states, query, weights, owner, offsets)
        return _sums(weights[..., None] * states, offsets)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Through the mean, the softmax and the products."""
        states, query, weights, owner, offsets = ctx.saved_tensors
        own = grad.index_select(0, owner)
        of_weights = (own * states).sum(-1)
        mean = _sums((weights * of_weights)[..., None], offsets)[..., 0]
        of_scores = (weights * (of_weights - mean[owner]))[..., None]
        of_states = own.mul_(weights[..., None]).addcmul_(
            of_scores, query.to(states.dtype).index_select(0, owner)
        )
        return of_states, _sums(of_scores * states, offsets).to(query.dtype), None, None


def _sums(values: Tensor, offsets: Tensor) -> Tensor:
    """Return the sums [B, T, k] of the parts [N, T, k] of each item."""
    order = torch.arange(len(values), device=values.device)
    return segment_sum(values.flatten(1), order, offsets).unflatten(1, values.shape[1:])
