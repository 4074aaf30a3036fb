"""Customized gate control and progressive layered extraction (Tang et al., 2020): own and shared experts.

Each task has experts of its own beside those that all share; its gate mixes these two kinds alone. With
`progressive` the mixtures are also made after each layer and are what the next layer of a task's experts
reads, while shared experts read a mixture of all (PLE); without it only embeddings are mixed (CGC). As in
`mmoe`, gates read an encoder of their own.
"""

import torch
from torch import Tensor, nn

from relatask.nn.contract import TaskContext
from relatask.nn.gates import GATE, TaskGates, experts
from relatask.nn.heads import KindModel, TaskHeads

CAPABILITIES = {
    "summary": "experts of each task beside shared ones, mixed by a gate for each task",
    "label": "CGC",
    "paper": "tang_2020",
    "encoders": "per task",
    "copies": ("own_experts",),
    "kinds": ("binary", "real", "class"),
    "cost_in_tasks": "O(T)",
    "microseconds": 4.0,
    "options": {"own_experts": 1, "shared_experts": 2, "progressive": False},
    "limits": {"own_experts": (1, 100), "shared_experts": (1, 1000)},
}


class Extraction(nn.Module):
    """Mixtures of experts: of each task's own and the shared ones, and of all of them.

    Args:
        width: of what is mixed and of what gates read.
        own: experts of each task.
        shared: experts of all tasks.
        context: the T tasks.
        name: of this extraction, so that no two start alike.
    """

    def __init__(self, width: int, own: int, shared: int, context: TaskContext, name: str):
        super().__init__()
        self.own, self.shared = own, shared
        self.gates = TaskGates(width, own + shared, context, name)

    def forward(self, experts: Tensor, gate: Tensor) -> Tensor:
        """Return each task's mixture [N, T, w] of experts [N, T own + shared, w], by gate inputs [N, w]."""
        of_tasks, of_all = experts.split([experts.shape[1] - self.shared, self.shared], 1)
        own_share, shared_share = self.gates(gate).softmax(-1).split([self.own, self.shared], -1)
        own = (own_share[..., None] * of_tasks.unflatten(1, (-1, self.own))).sum(2)
        return own + torch.bmm(shared_share, of_all)


class CGC(KindModel):
    """x of B items -> outputs [B, C]."""

    def __init__(self, context: TaskContext, own: int, shared: int, progressive: bool):
        super().__init__(context)
        names = [name for task in context.task_ids for name in experts(own, f"expert of {task}")]
        self.own, self.shared = own, shared
        self.encoders = context.encoders([*names, *experts(shared), GATE])
        width, states = self.encoders.width, self.encoders.state_width
        layers = self.encoders.depth - 1 if progressive else 0  # the last one's states are pooled as they are
        self.extractions = nn.ModuleList(
            Extraction(states, own, shared, context, f"gate {layer}") for layer in range(layers)
        )
        # What shared experts read is the mean over tasks of how they would mix all experts: no task is first.
        self.of_all = nn.ModuleList(
            TaskGates(states, own + shared, context, f"shared gate {layer}") for layer in range(layers)
        )
        self.extraction = Extraction(width, own, shared, context, GATE)
        self.heads = TaskHeads(width, context)

    def mixed(self, layer: int, states: Tensor) -> Tensor:
        """Return the states [N, T own + shared + 1, w] that the next layer reads."""
        if layer >= len(self.extractions):
            return states
        experts, gate = states[:, :-1], states[:, -1]
        own = self.extractions[layer](experts, gate)
        return torch.cat(
            [
                own.repeat_interleave(self.own, 1),
                self._of_all(layer, experts, gate)[:, None].expand(-1, self.shared, -1),
                gate[:, None],
            ],
            1,
        )

    def _of_all(self, layer: int, experts: Tensor, gate: Tensor) -> Tensor:
        """Return a mixture [N, w] of all experts, whose weights sum to 1."""
        of_tasks, of_all = experts.split([experts.shape[1] - self.shared, self.shared], 1)
        logits = self.of_all[layer](gate)  # [N, T, own + shared]
        own, shared = logits.split([self.own, self.shared], -1)
        weights = torch.cat([own.flatten(1), shared.mean(1)], 1).softmax(-1)
        return torch.bmm(weights[:, None], torch.cat([of_tasks, of_all], 1))[:, 0]

    def forward(self, x: object) -> Tensor:
        """Return the outputs [B, C]."""
        embeddings = self.encoders.pool(self.encoders.states(x, self.mixed), x)
        outputs: Tensor = self.heads(self.extraction(embeddings[:, :-1], embeddings[:, -1]))
        return outputs


def build(context: TaskContext, own_experts: int, shared_experts: int, progressive: bool) -> CGC:
    """Return the network."""
    return CGC(context, own_experts, shared_experts, progressive)
