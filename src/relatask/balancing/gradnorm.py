"""GradNorm (Chen, Badrinarayanan, Lee & Rabinovich, 2018), algorithm 1.

With G_i = ||d(w_i L_i)/dW||, the rate r_i = (L_i / L_i(0)) / mean_j(L_j / L_j(0)) and the target
mean_j(G_j) r_i^alpha held constant, the weights follow the gradient of eq. 2, sum_i |G_i - target_i|, by
Adam, after the network has been given its gradient with the old ones; then they are scaled to sum to T. W is
a square map that ends the encoder, see `_gradients.shared_norms`.

A task without a label in the batch is in no mean, keeps its weight, also in the scaling, and has its
L_i(0) from the first batch in which it has a label. Weights stay above 0.001, which the paper leaves open:
a fixed step of Adam would carry a small one through zero.
"""

import torch
from torch import Tensor

from relatask.balancing._balancing import Setting, Step, Weighted, ratio, unknown
from relatask.balancing._gradients import head_weights, readout_norms, shared_norms
from relatask.balancing._task_adam import TaskAdam
from relatask.core.errors import RelataskError

CAPABILITIES = {
    "summary": "gradient norms of tasks follow their rates of learning",
    "label": "GRADNORM",
    "paper": "gradnorm",
    "needs_trunk": True,
    "cost_in_tasks": "O(1)",  # O(T) passes through the head of a network without linear heads
    "options": {"alpha": 0.1, "learning_rate": 0.025, "form": "paper"},
    "choices": {"form": ("paper", "released")},
    "limits": {"alpha": (0.0, 10.0), "learning_rate": (1e-6, 1.0)},
    "space": {
        "alpha": {"least": 0.0, "greatest": 3.0},
    },
}
LEAST = 1e-3


class GradNorm(Weighted):
    """Weights w [T], from 1, and the first losses L(0) [T].

    With ``form: released``, the code of SGNN-EBM: the gradients are those of each task's own row of the
    heads, already contain the weight and are multiplied by it again; L(0) is each epoch's loss on all
    training items in evaluation; the weights move at the network's learning rate.
    """

    uses_representation = True
    weight: Tensor
    first: Tensor

    def __init__(self, setting: Setting, alpha: float, learning_rate: float, form: str):
        super().__init__()
        self.alpha, self.released = alpha, form == "released"
        self.uses_epoch_losses = self.released
        self.learning_rate = setting.learning_rate if self.released else learning_rate
        self.adam = TaskAdam(setting.n_tasks)
        self.register_buffer("weight", torch.ones(setting.n_tasks))
        self.register_buffer("first", unknown(setting.n_tasks))

    def start_epoch(self, losses: Tensor) -> None:
        """Take the released form's L(0)."""
        self.first.copy_(losses)

    @torch.no_grad()
    def weights(self, step: Step) -> Tensor:
        """Return the weights as they were before this step."""
        present, losses, old = step.present, step.losses.detach(), self.weight.clone()
        with torch.enable_grad():
            norms = readout_norms(step) * old / present.sum() if self.released else shared_norms(step)
        self.first = torch.where(present & self.first.isnan(), losses.to(self.first.dtype), self.first)
        norms, rates = norms.to(old.dtype), ratio(losses, self.first)
        target = (old * norms)[present].mean() * (rates / rates[present].mean()) ** self.alpha
        self.adam.step(self.weight, (old * norms - target).sign() * norms, present, self.learning_rate)
        self._scale(present, old)
        return old

    def _scale(self, present: Tensor, old: Tensor) -> None:
        """Let the weights of present tasks sum to what they summed to before."""
        kept = self.weight.clamp_(min=LEAST)[present]
        self.weight[present] = kept * (old[present].sum() / kept.sum())


def build(setting: Setting, alpha: float, learning_rate: float, form: str) -> GradNorm:
    """Return the strategy at the start of training."""
    if form == "released" and head_weights(setting.model) is None:
        raise RelataskError(
            "balancing 'gradnorm' in the released form needs one linear head per task on the encoder, which "
            "this method has not; use `form: paper`."
        )
    return GradNorm(setting, alpha, learning_rate, form)
