"""A random forest that also says which bits of the fingerprint it split on."""

import pandas as pd
from sklearn.ensemble import RandomForestClassifier

CAPABILITIES = {
    "summary": "random forest per task, with the bits that matter",
    "label": "RF bits",
    "inputs": ("ecfp",),
    "loop": "estimator",
    "encoders": "none",
    "per_task": True,
    "cost_in_tasks": "O(T)",
    "microseconds": 60.0,
    "cost_options": ("n_estimators",),
    "options": {"n_estimators": 10},
    "limits": {"n_estimators": (1, 1_000_000)},
    "saves": {"important_bits": {"task_id": "category", "bit": "int32", "importance": "float64"}},
}
TOP = 5


class ForestWithBits(RandomForestClassifier):
    """A forest with a table of its own."""

    def saved(self) -> dict[str, pd.DataFrame]:
        """Return the tables that `saves` declares; task and run are added where it is journalled."""
        importance = pd.Series(self.feature_importances_, name="importance").nlargest(TOP)
        return {"important_bits": importance.rename_axis("bit").reset_index()}


def build(seed: int, n_estimators: int) -> ForestWithBits:
    """Return the untrained classifier of one task."""
    return ForestWithBits(n_estimators=n_estimators, random_state=seed, n_jobs=1)
