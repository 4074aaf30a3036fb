"""The tables of a data set without molecules: points in time, or images."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.files import canonical_json, write_json
from relatask.core.kinds import Kind
from relatask.core.tables import COLUMNS, write_table
from relatask.data.splits import FOLDS, split_digest
from relatask.data.task_ids import task_ids
from relatask.data.tasks import completed_tasks, with_counts


@dataclass(frozen=True)
class ItemTables:
    """M items with a label of each of T tasks, or with one class each out of T."""

    level: str  # of the items
    items: Sequence[str]  # M names
    tasks: Sequence[str]  # T names of tasks, or of the classes
    labels: np.ndarray  # float32 [M, T], complete; or int64 [M], the class of each item
    splits: Mapping[str, tuple[np.ndarray, dict[str, Any]]]  # "scheme-seed" -> fold of each item, and record
    kind: Kind = "binary"  # of all tasks, where labels are [M, T]


def write_items(tables: ItemTables, features: str, folder: Path) -> dict[str, Any]:
    """Write items, tasks, labels or classes, and splits, and return what dataset.json says of them.

    Args:
        tables: what is written.
        features: digest of the features.
        folder: of the data set.
    """
    n_items, labels = len(tables.items), tables.labels
    of_classes = labels.ndim == 1
    ids, kind = np.arange(n_items), "class" if of_classes else tables.kind
    names = ["class"] if of_classes else list(tables.tasks)
    tasks, n_tasks = task_ids(names), len(names)
    column = np.tile(np.arange(n_tasks), n_items)
    described: dict[str, Any] = {"name": names, "task_id": tasks, "kind": kind}
    if of_classes:
        described["n_classes"] = len(tables.tasks)
    frame = completed_tasks(pd.DataFrame(described), tables.level)
    frame = with_counts(frame, column, labels.ravel())
    frames: dict[str, dict[str, Any] | pd.DataFrame] = {
        "items": {
            "item_id": ids,
            "source_id": tables.items,
            "level": pd.Categorical([tables.level] * n_items),
            "parent": pd.Series(pd.NA, ids, dtype="Int32"),
        },
        "tasks": frame,
        "labels": {
            "item_id": np.repeat(ids, n_tasks),
            "task_id": pd.Categorical.from_codes(column, pd.Index(tasks)),
            "value": labels.ravel().astype(np.float32),
            "bound": pd.Categorical.from_codes(np.zeros(len(column), np.int8), pd.Index(["="])),
        },
        "classes": {
            "task_id": tasks[0],
            "value": np.arange(len(tables.tasks)),
            "name": list(tables.tasks),
        }
        if of_classes
        else {column: [] for column in COLUMNS["classes"]},
    }
    for name, columns in frames.items():
        write_table(name, pd.DataFrame(columns), folder / f"{name}.parquet")
    for name, (fold, record) in tables.splits.items():
        split = pd.DataFrame(
            {"item_id": ids, "task_id": None, "fold": pd.Categorical.from_codes(fold, pd.Index(FOLDS))}
        )
        path = folder / "splits" / f"{name}.parquet"
        write_table("split", split, path)
        sizes = {part: {"molecules": int((fold == number).sum())} for number, part in enumerate(FOLDS)}
        written = {**record, "folds": sizes, "tasks": n_tasks, "digest": split_digest(split)}
        write_json(path.with_suffix(".json"), written)
    held = hashlib.sha256(np.ascontiguousarray(labels).tobytes()).hexdigest()
    text = canonical_json([list(tables.items), list(tables.tasks), features, held])
    return {
        **{"molecules": n_items, "tasks": len(tables.tasks), "edges": 0, "tasks_without_edge": n_tasks},
        **{"labels": n_items * n_tasks, "labelled_share": 1.0},
        "positive_rate": float(frame["n_pos"].sum() / max(1, n_items * n_tasks)),
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    }
