"""Predictions as people read them: each row names its molecule, task, method, split and seed."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from relatask.core.layout import dataset_folder, in_dataset, in_study
from relatask.core.tables import columns_of, read_batches, read_plain, read_table, schema

NAME = "described_predictions"
OF_RUN = {"label": "method", "split": "split", "seed": "seed"}  # column of the plan -> of the table
OF_ITEM = ("source_id", "smiles")  # null where items of their kind have none


def described_predictions(study: Path, dataset: str, rows: int = 1_000_000) -> Iterator[pd.DataFrame]:
    """Yield the table "described_predictions" of a data set in frames of about `rows` rows.

    Rows are those of the table predictions, in their order. Of few-shot learning, `task` is the episode.

    Args:
        study: the study's folder of results.
        dataset: key of the data set.
        rows: in memory at a time; those of a run stay together.

    Raises:
        RelataskError: a table is absent or broken.
    """
    folder = study / dataset_folder(dataset)
    plan = read_table("plan", study / in_study("plan"), ["run_id", "dataset", *OF_RUN]).set_index("run_id")
    plan = plan[plan["dataset"] == dataset]
    items = read_plain("items", folder / in_dataset("items")).set_index("item_id")
    tasks = read_table("tasks", folder / in_dataset("tasks"), ["task_id", "name"]).set_index("task_id")[
        "name"
    ]
    texts = {name: items[name].astype("category") for name in OF_ITEM if name in items}
    for frame in read_batches("predictions", study / in_study("predictions"), by="run_id", rows=rows):
        runs = frame["run_id"].astype(str)
        own = runs.isin(plan.index)
        found = frame[own].reset_index(drop=True)
        if found.empty:
            continue
        of_run = plan.loc[runs[own].tolist()]
        for column, name in OF_RUN.items():
            found[name] = of_run[column].to_numpy()
        named = found["task_id"].astype(str)
        found["task"] = named.map(tasks).fillna(named)
        for name in OF_ITEM:
            found[name] = texts[name].loc[found["item_id"]].array if name in texts else None
        yield found[list(columns_of(NAME))]


def batch_of(frame: pd.DataFrame) -> pa.RecordBatch:
    """Return such a frame as Arrow has it; a column without any value keeps its type."""
    types = {
        field.name: pa.string() if pa.types.is_dictionary(field.type) else field.type
        for field in schema(NAME)
    }
    arrays = [pa.array(frame[name], kind, from_pandas=True) for name, kind in types.items()]
    return pa.RecordBatch.from_arrays(arrays, names=list(types))
