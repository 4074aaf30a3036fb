"""Loss-balanced task weighting, LBTW (Liu, Liang & Gitter, 2019), algorithm 1.

In each step w_k = (L_k / L_k')^alpha with L_k' the task's loss in the first batch of the epoch: a task that
has learned much in this epoch weighs less, which the paper finds to reduce negative transfer.

A task's first batch is the first of the epoch in which it has a label.
"""

import torch
from torch import Tensor

from relatask.balancing._balancing import Setting, Step, Weighted, ratio, unknown

CAPABILITIES = {
    "summary": "tasks weigh by the loss left of the epoch's first batch",
    "label": "LBTW",
    "paper": "lbtw",
    "stacks": True,
    "cost_in_tasks": "O(1)",
    "options": {"alpha": 0.5, "form": "paper"},
    "choices": {"form": ("paper", "released")},
    "limits": {"alpha": (0.0, 10.0)},
    "space": {
        "alpha": {"least": 0.1, "greatest": 1.0},
    },
}


class LossBalancedTaskWeighting(Weighted):
    """The epoch's first losses [T].

    With ``form: released``, the code of SGNN-EBM: they are those of all training items at the start of the
    epoch, in evaluation.
    """

    first: Tensor

    def __init__(self, setting: Setting, alpha: float, form: str):
        super().__init__()
        self.alpha, self.uses_epoch_losses = alpha, form == "released"
        self.register_buffer("first", unknown(setting.n_tasks))

    def start_epoch(self, losses: Tensor) -> None:
        """Take the released form's first losses."""
        self.first.copy_(losses)

    def weights(self, step: Step) -> Tensor:
        """Return (L / L')^alpha, 1 in the task's first batch of an epoch."""
        losses = step.losses.detach()
        self.first = torch.where(step.present & self.first.isnan(), losses, self.first)
        return ratio(losses, self.first) ** self.alpha

    def end_epoch(self) -> None:
        """Forget the first losses."""
        self.first = torch.full_like(self.first, torch.nan)


def build(setting: Setting, alpha: float, form: str) -> LossBalancedTaskWeighting:
    """Return the strategy at the start of training."""
    return LossBalancedTaskWeighting(setting, alpha, form)
