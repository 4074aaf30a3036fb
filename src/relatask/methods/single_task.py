"""One network per task, each trained on that task's labelled items only: the baseline of all sharing.

The "STL" of SGNN-EBM, table 2. Selection and early stopping are per task.
"""

from relatask.methods.shared_bottom import SharedBottom
from relatask.nn.contract import TaskContext

CAPABILITIES = {
    "summary": "one network per task",
    "label": "STL",
    "loop": "supervised",
    "per_task": True,
    "kinds": ("binary", "real", "class"),
    "weights": ("items", "classes"),
    "cost_in_tasks": "O(T)",
}


def build(context: TaskContext) -> SharedBottom:
    """Return the network of the one task in `context`."""
    return SharedBottom(context.encoder(), context)
