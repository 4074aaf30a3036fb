"""Equal weights: plain multi-task learning, the mean over tasks that have a label in the batch."""

from relatask.balancing._balancing import Balancing, Setting, Step

CAPABILITIES = {"summary": "all tasks weigh the same", "label": "EQUAL", "cost_in_tasks": "O(1)"}


class Equal(Balancing):
    """The mean loss."""

    def backward(self, step: Step) -> None:
        """Flow the mean back; a task without a label is not counted."""
        step.mean.backward()


def build(setting: Setting) -> Equal:
    """Return the strategy."""
    return Equal()
