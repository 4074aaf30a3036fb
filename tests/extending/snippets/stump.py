"""One shallow tree per task, the least that a method can be."""

from sklearn.tree import DecisionTreeClassifier

CAPABILITIES = {
    "summary": "one shallow tree per task",
    "label": "stump",
    "inputs": ("ecfp",),
    "loop": "estimator",
    "encoders": "none",
    "per_task": True,
    "cost_in_tasks": "O(T)",
    "microseconds": 5.0,
    "options": {"max_depth": 1},
    "limits": {"max_depth": (1, 1000)},
}


def build(seed: int, max_depth: int) -> DecisionTreeClassifier:
    """Return the untrained classifier of one task."""
    return DecisionTreeClassifier(max_depth=max_depth, random_state=seed)
