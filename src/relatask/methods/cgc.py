"""Customized gate control and progressive layered extraction (Tang et al., 2020): own and shared experts.

Each task has experts of its own beside those that all share; its gate mixes these two kinds alone. With
`progressive` the mixtures are also made after each layer and are what the next layer of a task's experts
reads, while shared experts read what one further gate mixes of all experts (PLE); without it only embeddings
are mixed (CGC). As in `mmoe`, gates read an encoder of their own.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.core.errors import RelataskError
from relatask.nn.contract import TaskContext, task_draws
from relatask.nn.gates import GATE, TaskGates, experts
from relatask.nn.heads import KindModel, TaskHeads

CAPABILITIES = {
    "summary": "experts of each task beside shared ones, mixed by a gate for each task",
    "label": "CGC",
    "paper": "tang_2020",
    "encoders": "per task",
    "copies": ("own_experts",),
    "kinds": ("binary", "real", "class"),
    "weights": ("items", "classes", "tasks"),
    "cost_in_tasks": "O(T)",
    "microseconds": 4.0,
    "options": {"own_experts": 1, "shared_experts": 2, "progressive": False},
    "limits": {"own_experts": (1, 100), "shared_experts": (1, 1000)},
    "space": {
        "own_experts": {"least": 1, "greatest": 3},
        "shared_experts": {"least": 1, "greatest": 4},
    },
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
        own, shared = experts.split([experts.shape[1] - self.shared, self.shared], 1)
        of_own, of_shared = self.gates(gate).softmax(-1).split([self.own, self.shared], -1)
        return (of_own[..., None] * own.unflatten(1, (-1, self.own))).sum(2) + torch.bmm(of_shared, shared)


class SharedGate(nn.Module):
    """The gate of what shared experts read: one softmax over the experts of all tasks and the shared ones.

    What belongs to a task's experts is drawn from the task's seed, so that no order of tasks matters.
    """

    def __init__(self, width: int, own: int, shared: int, context: TaskContext, name: str):
        super().__init__()
        self.of_tasks = TaskGates(width, own, context, name)
        weight, bias = task_draws((shared,), width, context, f"{name} over shared experts", ["shared"])
        self.weight = nn.Parameter(weight[0].clone())  # [shared, w]
        self.bias = nn.Parameter(bias[0].clone())

    def forward(self, experts: Tensor, gate: Tensor) -> Tensor:
        """Return the mixture [N, w] of experts [N, T own + shared, w], by gate inputs [N, w]."""
        of_shared = F.linear(gate, self.weight.to(gate.dtype), self.bias.to(gate.dtype))
        shares = torch.cat([self.of_tasks(gate).flatten(1), of_shared], 1).softmax(-1)
        return torch.bmm(shares[:, None], experts)[:, 0]


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
        self.shared_gates = nn.ModuleList(
            SharedGate(states, own, shared, context, f"shared gate {layer}") for layer in range(layers)
        )
        self.extraction = Extraction(width, own, shared, context, GATE)
        self.heads = TaskHeads(width, context)

    def mixed(self, layer: int, states: Tensor) -> Tensor:
        """Return the states [N, T own + shared + 1, w] that the next layer reads."""
        if layer >= len(self.extractions):
            return states
        experts, gate = states[:, :-1], states[:, -1]
        own = self.extractions[layer](experts, gate).repeat_interleave(self.own, 1)
        shared = self.shared_gates[layer](experts, gate)[:, None].expand(-1, self.shared, -1)
        return torch.cat([own, shared, gate[:, None]], 1)

    def forward(self, x: object) -> Tensor:
        """Return the outputs [B, C]."""
        embeddings = self.encoders.pool(self.encoders.states(x, self.mixed), x)
        outputs: Tensor = self.heads(self.extraction(embeddings[:, :-1], embeddings[:, -1]))
        return outputs


def build(context: TaskContext, own_experts: int, shared_experts: int, progressive: bool) -> CGC:
    """Return the network.

    Raises:
        RelataskError: it shall be progressive, and has no layer after which it could mix.
    """
    model = CGC(context, own_experts, shared_experts, progressive)
    if progressive and not model.extractions:
        raise RelataskError(
            "method 'cgc': `progressive: true` mixes experts between layers, and this encoder gives states "
            "after the last one alone; take one that is read layer by layer, such as gcn, with 2 layers or "
            "more, or remove `progressive`."
        )
    return model
