"""Dynamic weight average, DWA (Liu, Johns & Davison, 2019), eq. 7.

In epoch t the weight of task k is T exp(r_k / temperature) / sum_i exp(r_i / temperature), with
r_k = L_k(t - 1) / L_k(t - 2) and L_k(t) its loss averaged over the steps of epoch t; 1 in the first two
epochs. All weights sum to T, the number of tasks. The paper's temperature is 2; SGNN-EBM's table 5 has 0.2.

A task's epoch loss is the mean over the steps in which it has a label; one that never has has r_k = 1.
"""

import torch
from torch import Tensor

from relatask.balancing._balancing import Setting, Step, Weighted, ratio, unknown

CAPABILITIES = {
    "summary": "tasks whose loss falls slowly weigh more",
    "label": "DWA",
    "paper": "mtan",
    "stacks": True,
    "cost_in_tasks": "O(1)",
    "options": {"temperature": 2.0, "form": "paper"},
    "choices": {"form": ("paper", "released")},
    "limits": {"temperature": (0.01, 1000.0)},
    "space": {
        "temperature": {"least": 0.5, "greatest": 5.0, "log": True},
    },
}


class DynamicWeightAverage(Weighted):
    """Weights [T], sums and counts of this epoch's losses [T], the losses of the last two epochs [2, T].

    With ``form: released``, the code of SGNN-EBM: r_k = the loss in the batch over that of all training items
    at the start of the epoch, in evaluation; 0 for a task without a label in the batch.
    """

    weight: Tensor
    total: Tensor
    count: Tensor
    recent: Tensor

    def __init__(self, setting: Setting, temperature: float, form: str):
        super().__init__()
        self.temperature, self.uses_epoch_losses = temperature, form == "released"
        self.register_buffer("weight", torch.ones(setting.n_tasks))
        self.register_buffer("total", torch.zeros(setting.n_tasks))
        self.register_buffer("count", torch.zeros(setting.n_tasks))
        self.register_buffer("recent", unknown(setting.n_tasks).expand(2, -1).clone())

    def start_epoch(self, losses: Tensor) -> None:
        """Take the released form's denominator."""
        self.recent[0] = losses

    def weights(self, step: Step) -> Tensor:
        """Return the weights of this epoch."""
        losses = step.losses.detach()
        if self.uses_epoch_losses:
            return self._weights(torch.where(step.present, ratio(losses, self.recent[0]), 0.0))
        self.total += losses  # 0 for absent tasks
        self.count += step.present
        return self.weight

    def end_epoch(self) -> None:
        """Compute the weights of the next epoch once there are two epochs to compare."""
        if self.uses_epoch_losses:
            return
        self.recent = torch.stack([self.total / self.count, self.recent[0]])
        self.total.zero_()
        self.count.zero_()
        self.weight = self._weights(ratio(*self.recent))

    def _weights(self, ratios: Tensor) -> Tensor:
        return len(ratios) * (ratios / self.temperature).softmax(0)


def build(setting: Setting, temperature: float, form: str) -> DynamicWeightAverage:
    """Return the strategy at the start of training."""
    return DynamicWeightAverage(setting, temperature, form)
