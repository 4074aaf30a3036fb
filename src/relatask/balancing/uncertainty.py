"""Uncertainty weighting, UW (Kendall, Gal & Cipolla, 2018), for classification.

Section 3.2: a task whose softmax has the temperature sigma_i^2 has, by the approximation of eq. 10, the loss
L_i / sigma_i^2 + log sigma_i. As the paper does, s_i = log sigma_i^2 is learned: exp(-s_i) L_i + s_i / 2,
which is least at exp(s_i) = 2 L_i, so the weight of a task is 1 / (2 L_i) once s_i has settled.

A task without a label in the batch keeps its s_i and adds nothing.
"""

import torch
from torch import Tensor

from relatask.balancing._balancing import Setting, Step, Weighted
from relatask.balancing._task_adam import TaskAdam

CAPABILITIES = {
    "summary": "learned uncertainty of each task",
    "label": "UW",
    "paper": "uncertainty_weighting",
    "stacks": True,
    "cost_in_tasks": "O(1)",
    "options": {"form": "paper"},
    "choices": {"form": ("paper", "released")},
}
RELEASED_DECAY = 0.998001998667  # exp(-0.002), of the learning rate in each step


class Uncertainty(Weighted):
    """Log-variances s [T], from 0, moved by Adam at the network's learning rate without weight decay.

    With ``form: released``, the code of SGNN-EBM: s_i = log sigma_i is learned, so that the same loss reads
    exp(-2 s_i) L_i + s_i, and the learning rate falls by exp(-0.002) in each step. Its start at random
    values of 0.05 is left out.
    """

    log_variance: Tensor
    taken: Tensor

    def __init__(self, setting: Setting, form: str):
        super().__init__()
        self.learning_rate = setting.learning_rate
        self.scale = 2.0 if form == "released" else 1.0  # log variance over s
        self.decay = RELEASED_DECAY if form == "released" else 1.0
        self.adam = TaskAdam(setting.n_tasks)
        self.register_buffer("log_variance", torch.zeros(setting.n_tasks))
        self.register_buffer("taken", torch.zeros((), dtype=torch.int64))

    def weights(self, step: Step) -> Tensor:
        """Return exp(-log sigma_i^2); the derivative of the loss by s_i is written out."""
        weights = (-self.log_variance).exp()
        gradient = self.scale * (0.5 - weights * step.losses.detach()) / step.present.sum()
        rate = self.learning_rate * self.decay ** int(self.taken)
        self.adam.step(self.log_variance, gradient, step.present, self.scale * rate)
        self.taken += 1
        return weights


def build(setting: Setting, form: str) -> Uncertainty:
    """Return the strategy at the start of training."""
    return Uncertainty(setting, form)
