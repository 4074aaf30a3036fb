"""Set2Set (Vinyals et al., 2016) of T networks over the parts of the same items."""

import torch
from torch import Tensor, nn

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

    def forward(self, states: Tensor, owner: Tensor, n_items: int) -> Tensor:
        """Return the embeddings [B, T, 2 w].

        Args:
            states: [N, T, w].
            owner: int64 [N], the item that a part is of.
            n_items: B.
        """
        shape = (n_items, *states.shape[1:])
        hidden, cell = states.new_zeros(shape), states.new_zeros(shape)
        answer = states.new_zeros(*shape[:-1], 2 * self.width)
        for _ in range(self.steps):
            gates = self.read(answer) + self.keep(hidden)
            enter, forget, new, leave = gates.chunk(4, -1)  # in torch's order
            cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
            hidden = leave.sigmoid() * cell.tanh()
            weights = softmax_within((states * hidden[owner]).sum(-1), owner, n_items)
            found = states.new_zeros(shape).index_add(0, owner, weights[..., None] * states)
            answer = torch.cat([hidden, found], -1)
        return answer


def softmax_within(scores: Tensor, owner: Tensor, n_items: int) -> Tensor:
    """Return the softmax of scores [N, T] over the parts of each item, `owner` int64 [N]."""
    place = owner[:, None].expand_as(scores)
    most = scores.new_full((n_items, scores.shape[1]), -torch.inf)
    most = most.scatter_reduce(0, place, scores.detach(), "amax")
    powers = (scores - most[owner]).exp()
    total = scores.new_zeros(n_items, scores.shape[1]).index_add(0, owner, powers)
    return powers / total[owner]
