"""The transfer block of L2T-MITTEN, section 4: what each task sends to each other, and how it is mixed."""

import torch
from torch import Tensor, nn

from relatask.methods.mitten.mixture import Mixture, attention
from relatask.nn.contract import TaskContext, task_draws

AXES = {"source": 0, "target": 1}


class Transfer(nn.Module):
    """States [N, T, d] of T encoders -> mixed states [N, T, d] (eqs. 2 to 4).

    All maps are linear; F_S and F_T have biases. Maps start as Glorot and Bengio (2010), task by task, and
    the general dependency D as zeros: every pair alike.

    Args:
        width: d.
        context: the T tasks.
        eta: the factor of eq. 4.
        axis: over which softmax(D) sums to 1: the "source" tasks of a target, or the "target"s of a source.
        own: whether a task also sends to itself, as the sum of eq. 4 has it; the set A_j leaves it out.
    """

    barred: Tensor  # bool [T, T]

    def __init__(self, width: int, context: TaskContext, eta: float, axis: str, own: bool):
        super().__init__()
        n_tasks = len(context.task_ids)
        self.eta, self.axis = eta, AXES[axis]
        drawn = {
            name: task_draws((width,), width, context, name)
            for name in ("source", "target", "query", "key", "value", "mix")
        }
        maps = {name: nn.Parameter(3**0.5 * weight.mT.contiguous()) for name, (weight, _) in drawn.items()}
        self.source, self.target = maps["source"], maps["target"]  # F_S and F_T of eq. 2, [T, d, d]
        self.query, self.key = maps["query"], maps["key"]  # W_Q and W_K of eq. 3
        self.value, self.mix = maps["value"], maps["mix"]  # W_Vi and W_Vj of eq. 4
        self.source_bias = nn.Parameter(drawn["source"][1].clone())  # [T, d]
        self.target_bias = nn.Parameter(drawn["target"][1].clone())
        self.dependency = nn.Parameter(torch.zeros(n_tasks, n_tasks))  # D; row i sends, column j receives
        alone = n_tasks == 1
        self.register_buffer(
            "barred", torch.eye(n_tasks, dtype=torch.bool) & (not own and not alone), persistent=False
        )

    def general(self) -> Tensor:
        """Return softmax(D), [T, T]: how much task j (column) takes from task i (row)."""
        return self.dependency.masked_fill(self.barred, -torch.inf).softmax(self.axis)

    def forward(self, states: Tensor) -> Tensor:
        """Return the mixed states [N, T, d]."""
        with torch.autocast(states.device.type, enabled=False):
            mixed: Tensor = Mixture.apply(*self._parts(states))
            return torch.bmm(mixed.transpose(0, 1), self.mix).transpose(0, 1)

    def attention(self, states: Tensor) -> Tensor:
        """Return the softmax of eq. 4, [N, T, T]: how much task j (last) takes from task i."""
        with torch.autocast(states.device.type, enabled=False):
            return attention(*self._parts(states))

    def _parts(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return what `Mixture` reads; the maps of a pair of tasks are multiplied with each other first."""
        by_task = states.to(self.source.dtype).transpose(0, 1)
        sent = torch.baddbmm(self.source_bias[:, None], by_task, self.source).transpose(0, 1)
        sources = torch.cat([sent, sent.new_ones(*sent.shape[:2], 1)], -1)  # 1: for the biases of F_T
        keys = torch.bmm(by_task, self.key).transpose(0, 1).contiguous()
        targets = torch.cat([self.target, self.target_bias[:, None]], 1)  # [T, d + 1, d]
        read = torch.cat([self.query, self.value], -1)  # [T, d, 2 d]
        weights = torch.einsum("jab,ibc->iajc", targets, read).contiguous()
        scale = self.eta * self.general() * states.shape[-1] ** -0.5
        return sources, keys, weights, scale, self.barred
