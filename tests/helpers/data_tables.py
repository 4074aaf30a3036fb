"""Tables of data sets that tests write, complete with the columns that a test does not care about."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.files import digests_of, read_json, write_json
from relatask.core.layout import DATASET_TABLES
from relatask.core.source_block import source_block
from relatask.core.tables import COLUMNS, read_chunks, write_table
from relatask.data.dataset_counts import content_digest
from relatask.data.source_tables import SourceTables, empty_table
from relatask.data.splits import describe_split, split_items
from relatask.data.tasks import completed_tasks
from relatask.inputs.arrays import write_features

NO_RELATIONS = empty_table("relations")
MOLECULE = {"smiles": "C", "n_heavy_atoms": 3, "mol_weight": 60.0, "scaffold": ""}


def items_table(ids: Sequence[int] | np.ndarray, level: str = "molecule", **columns: Any) -> pd.DataFrame:
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


def source_of(given: dict[str, Any] | None = None, /, **keys: Any) -> Any:
    """The block of a source."""
    return source_block({**(given or {}), **keys}, "sources.x")


def write_records(folder: Path) -> None:
    """Make dataset.json and the records of splits those of the files that lie in a data set's folder."""
    files = {folder / "dataset.json": [folder / f"{name}.parquet" for name in DATASET_TABLES]}
    files |= {path.with_suffix(".json"): [path] for path in (folder / "splits").glob("*.parquet")}
    for record, described in files.items():
        known = read_json(record) if record.exists() else {"digest": record.stem}
        there = [path for path in described if path.exists()]
        write_json(record, {**known, "files": digests_of(*there)})


def prepared_folder(
    folder: Path, tables: SourceTables, inputs: Sequence[str], splits: dict[str, dict[str, Any]]
) -> Path:
    """Write the data set of a source that is kept as it is, with its inputs and splits.

    Args:
        folder: of the data set.
        tables: of the source.
        inputs: files of relatask.inputs.
        splits: scheme -> seeds, fractions and options.
    """
    tables.write(folder)
    digest = content_digest({**vars(tables), "relations": NO_RELATIONS})
    write_json(
        folder / "dataset.json", {"digest": digest, "source": {"standardisation": dict(tables.counts)}}
    )
    if inputs:
        write_features(read_chunks("items", folder / "items.parquet", 10), inputs, folder / "features")
    for scheme, how in splits.items():
        for seed in how["seeds"]:
            options = how.get("options")
            split = split_items(tables.items, tables.labels, scheme, seed, how["fractions"], options)
            path = folder / "splits" / f"{scheme}-{seed}.parquet"
            write_table("split", split, path)
            write_json(path.with_suffix(".json"), describe_split(split, tables.labels))
    write_records(folder)
    return folder
