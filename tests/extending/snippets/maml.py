"""A shared network that learns to be one step away from its tasks (MAML, Finn et al., 2017)."""

from relatask.methods.shared_bottom import SharedBottom
from relatask.nn.contract import TaskContext

CAPABILITIES = {
    "summary": "one network, learned so that a step on some items helps on others",
    "label": "MAML",
    "loop": "meta_step",  # the file beside this one
    "cost_in_tasks": "O(1)",
}


def build(context: TaskContext) -> SharedBottom:
    """Return the network."""
    return SharedBottom(context.encoder(), context)
