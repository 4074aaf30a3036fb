"""Tables of data sets that tests write, complete with the columns that a test does not care about."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.tables import COLUMNS
from relatask.data.tasks import completed_tasks

MOLECULE = {"smiles": "C", "n_heavy_atoms": 3, "mol_weight": 60.0, "scaffold": ""}


def items_table(ids: Sequence[int], level: str = "molecule", **columns: Any) -> pd.DataFrame:
    """Table "items", of molecules with the columns of molecules."""
    own = {"source_id": None, "level": level, "parent": pd.Series(pd.NA, range(len(ids)), dtype="Int32")}
    return pd.DataFrame({"item_id": ids, **own, **(MOLECULE if level == "molecule" else {}), **columns})


def tasks_table(task_ids: Sequence[str], **columns: Any) -> pd.DataFrame:
    """Table "tasks", of tasks with a positive and a negative label if nothing else is said."""
    given = pd.DataFrame({"task_id": list(task_ids), "name": list(task_ids)}).assign(**columns)
    tasks = completed_tasks(given, "molecule")
    counts = {"n_pos": 1, "n_neg": 1}
    tasks = tasks.assign(**{name: value for name, value in counts.items() if name not in tasks})
    return tasks if "n_labels" in tasks else tasks.assign(n_labels=tasks["n_pos"] + tasks["n_neg"])


def labels_table(item_ids: Any, task_ids: Any, values: Any, bounds: Any = "=") -> pd.DataFrame:
    """Table "labels"."""
    frame = pd.DataFrame({"item_id": item_ids, "task_id": task_ids, "value": values, "bound": bounds})
    return frame.astype({"value": np.float32})


def no_classes() -> pd.DataFrame:
    """Table "classes" without a row."""
    return pd.DataFrame({column: [] for column in COLUMNS["classes"]})
