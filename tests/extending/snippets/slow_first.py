"""Tasks weigh by their loss in the batch: those that lag behind come first. An absent task has loss 0."""

from torch import Tensor

from relatask.balancing._balancing import Setting, Step, Weighted

CAPABILITIES = {
    "summary": "tasks weigh by their loss",
    "label": "SLOW",
    "cost_in_tasks": "O(1)",
    "options": {"power": 1.0},
    "limits": {"power": (0.0, 10.0)},
}


class SlowFirst(Weighted):
    """Weights [T] that are 1 in the mean over present tasks."""

    def __init__(self, power: float):
        super().__init__()
        self.power = power

    def weights(self, step: Step) -> Tensor:
        """Return the weights of this step's losses."""
        weights = step.losses.detach() ** self.power
        return weights * step.present.sum() / weights[step.present].sum()


def build(setting: Setting, power: float) -> SlowFirst:
    """Return the strategy at the start of training."""
    return SlowFirst(power)
