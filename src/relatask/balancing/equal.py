"""Equal weights: plain multi-task learning, the mean over tasks that have a label in the batch."""

from torch import Tensor

from relatask.balancing._balancing import FromLosses, Setting, Step

CAPABILITIES = {
    "summary": "all tasks weigh the same",
    "label": "EQUAL",
    "stacks": True,
    "cost_in_tasks": "O(1)",
}


class Equal(FromLosses):
    """The mean loss."""

    def loss(self, step: Step) -> Tensor:
        """Return the mean over the tasks that have a label."""
        return step.mean


def build(setting: Setting) -> Equal:
    """Return the strategy."""
    return Equal()
