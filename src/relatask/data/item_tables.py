"""The tables of a data set without molecules: points in time, or images."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.files import canonical_json, write_json
from relatask.core.tables import write_table
from relatask.data.splits import FOLDS, split_digest
from relatask.data.task_ids import task_ids


@dataclass(frozen=True)
class ItemTables:
    """M items with a label of each of T tasks, or with one class each out of T."""

    items: Sequence[str]  # M names
    tasks: Sequence[str]  # T names
    labels: np.ndarray  # float32 [M, T], complete; or int64 [M], the class of each item
    splits: Mapping[str, tuple[np.ndarray, dict[str, Any]]]  # "scheme-seed" -> fold of each item, and record


def write_items(tables: ItemTables, features: str, folder: Path) -> dict[str, Any]:
    """Write items, tasks, labels or classes, and splits, and return what dataset.json says of them.

    Args:
        tables: what is written.
        features: digest of the features.
        folder: of the data set.
    """
    n_items, n_tasks, labels = len(tables.items), len(tables.tasks), tables.labels
    ids, tasks = np.arange(n_items), task_ids(tables.tasks)
    none: list[list[str]] = [[]] * n_tasks
    of_classes = labels.ndim == 1
    n_pos = np.bincount(labels, minlength=n_tasks) if of_classes else (labels == 1).sum(0)
    frames: dict[str, dict[str, Any]] = {
        "items": {"item_id": ids, "name": tables.items},
        "tasks": {
            **{"task_id": tasks, "name": list(tables.tasks), "source_id": None, "uniprots": none},
            **{"string_ids": none, "n_pos": n_pos, "n_neg": n_items - n_pos},
        },
    }
    if of_classes:
        frames["classes"] = {"item_id": ids, "task_id": pd.Categorical.from_codes(labels, pd.Index(tasks))}
    else:
        frames["labels"] = {
            "item_id": np.repeat(ids, n_tasks),
            "task_id": pd.Categorical.from_codes(np.tile(np.arange(n_tasks), n_items), pd.Index(tasks)),
            "label": labels.ravel(),
        }
    for name, columns in frames.items():
        write_table(name, pd.DataFrame(columns), folder / f"{name}.parquet")
    for name, (fold, record) in tables.splits.items():
        split = pd.DataFrame({"item_id": ids, "fold": pd.Categorical.from_codes(fold, pd.Index(FOLDS))})
        path = folder / "splits" / f"{name}.parquet"
        write_table("split", split, path)
        sizes = {part: {"molecules": int((fold == number).sum())} for number, part in enumerate(FOLDS)}
        written = {**record, "folds": sizes, "tasks": n_tasks, "digest": split_digest(split)}
        write_json(path.with_suffix(".json"), written)
    held = hashlib.sha256(np.ascontiguousarray(labels).tobytes()).hexdigest()
    text = canonical_json([list(tables.items), tasks, features, held])
    return {
        **{"molecules": n_items, "tasks": n_tasks, "edges": 0, "tasks_without_edge": n_tasks},
        **{"labels": n_items if of_classes else n_items * n_tasks, "labelled_share": 1.0},
        "positive_rate": float(n_pos.sum() / max(1, n_items * n_tasks)),
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    }
