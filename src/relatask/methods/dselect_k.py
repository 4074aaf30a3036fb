"""DSelect-k (Hazimeh et al., 2021): a mixture of experts whose gates learn to choose at most k of them.

A selector writes the number of an expert in binary; each digit is a smooth step of a logit, so that a digit
becomes exactly 0 or 1 and gradients still flow before it does. As in `mmoe`, gates read an encoder of their
own.
"""

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.nn.contract import TaskContext
from relatask.nn.gates import GATE, TaskGates, experts
from relatask.nn.heads import KindModel, TaskHeads

CAPABILITIES = {
    "summary": "experts that all tasks share, of which each task's gate chooses k",
    "label": "DSelect-k",
    "paper": "hazimeh_2021",
    "trunk": False,
    "copies": ("experts",),
    "kinds": ("binary", "real", "class"),
    "weights": ("items", "classes", "tasks"),
    "cost_in_tasks": "O(1)",
    "microseconds": 4.0,
    "options": {"experts": 4, "k": 2, "gamma": 1.0, "entropy": 0.01},
    "choices": {"experts": (2, 4, 8, 16, 32, 64)},
    "limits": {"k": (1, 64), "gamma": (1e-6, 1e6), "entropy": (0.0, 1e6)},
    "space": {
        "k": {"values": [1, 2]},
        "gamma": {"least": 0.1, "greatest": 10.0, "log": True},
        "entropy": {"least": 0.001, "greatest": 0.1, "log": True},
    },
}


def smooth_step(t: Tensor, gamma: float) -> Tensor:
    """Return S(t): 0 up to -gamma / 2, 1 from gamma / 2, a cubic between them."""
    inside = -2 / gamma**3 * t**3 + 3 / (2 * gamma) * t + 0.5
    return torch.where(t <= -gamma / 2, 0.0, torch.where(t >= gamma / 2, 1.0, inside))


def chosen(logits: Tensor, gamma: float) -> Tensor:
    """Return how much of each expert a selector takes, [.., 2^m], from the logits [.., m] of its digits."""
    digits = smooth_step(logits, gamma)
    found = digits.new_ones(*digits.shape[:-1], 1)
    for digit in digits.unbind(-1):  # the least digit first
        found = torch.cat([found * (1 - digit[..., None]), found * digit[..., None]], -1)
    return found


class DSelectK(KindModel):
    """x of B items -> outputs [B, C]; the entropy of its selectors is part of the losses."""

    def __init__(self, context: TaskContext, n_experts: int, k: int, gamma: float, entropy: float):
        super().__init__(context)
        self.k, self.gamma, self.entropy = k, gamma, entropy
        digits = n_experts.bit_length() - 1
        self.encoders = context.encoders([*experts(n_experts), GATE])
        self.selectors = TaskGates(self.encoders.width, k * digits, context, "selectors")
        self.shares = TaskGates(self.encoders.width, k, context, "shares")
        # Logits near 0 lie within the smooth step, where gradients flow; others would never be learned.
        with torch.no_grad():
            for parameter in self.selectors.parameters():
                parameter.mul_(gamma / 10)
        self.heads = TaskHeads(self.encoders.width, context)
        self.selector_entropy: Tensor | None = None  # [T], of the last training pass

    def forward(self, x: object) -> Tensor:
        """Return the outputs [B, C]."""
        embeddings = self.encoders(x)
        own = embeddings[:, -1]
        selected = chosen(self.selectors(own).unflatten(-1, (self.k, -1)), self.gamma)  # [B, T, k, E]
        self.selector_entropy = _entropy(selected) if self.training else None
        gates = (self.shares(own).softmax(-1)[..., None] * selected).sum(-2)
        outputs: Tensor = self.heads(torch.bmm(gates, embeddings[:, :-1]))
        return outputs

    def losses(
        self, outputs: Tensor, labels: Tensor, bounds: Tensor | None = None, weights: Tensor | None = None
    ) -> Tensor:
        """Return each task's loss, [T], in training with the entropy of its selectors; 0 without labels."""
        found = super().losses(outputs, labels, bounds, weights)
        if self.selector_entropy is None:
            return found
        present = ~labels.isnan().all(0)
        return found + self.entropy * torch.where(present, self.selector_entropy, 0.0)


def _entropy(selected: Tensor) -> Tensor:
    """Return the mean over items of the entropy of each task's selectors, [T], of choices [B, T, k, E]."""
    sure = selected.clamp(min=1e-12)  # the entropy's derivative is infinite at 0
    return -(sure * sure.log()).sum((-2, -1)).mean(0)


def build(context: TaskContext, experts: int, k: int, gamma: float, entropy: float) -> DSelectK:
    """Return the network.

    Raises:
        RelataskError: k is more than there are experts.
    """
    if k > experts:
        raise RelataskError(
            f"method 'dselect_k': a gate cannot choose k: {k} of {experts} experts; lower `k`, or raise "
            "`experts`."
        )
    return DSelectK(context, experts, k, gamma, entropy)
