"""Tables of several files as one: their rows one after the other, the tasks of all beside each other.

Rows that are the same molecule are merged later, by standardisation, as within one file.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.raw_table import RawTable
from relatask.sources.wide_table import in_order


def joined(tables: Sequence[RawTable], paths: Sequence[str]) -> RawTable:
    """Return the table of all rows, numbered through; a task that several files have is one.

    Args:
        tables: of each file.
        paths: of the files.

    Raises:
        RelataskError: a task has other kinds or units in two files.
    """
    if len(tables) == 1:
        return tables[0]
    tasks = pd.concat([table.tasks for table in tables], ignore_index=True)
    names = list(dict.fromkeys(tasks["name"]))
    for column in [name for name in ("kind", "unit") if name in tasks]:
        differ = tasks.fillna({column: ""}).groupby("name", sort=False)[column].nunique() > 1
        if differ.any():
            raise RelataskError(
                f"{', '.join(paths)}: the task {differ.index[differ][0]!r} has several values of {column}; "
                "call it by another name in one of the files."
            )
    sizes = [len(table.rows) for table in tables]
    starts = np.cumsum([0, *sizes[:-1]])
    classes: dict[str, list[str]] = {}
    for table in tables:
        for name, own in table.classes.items():
            classes[name] = sorted({*classes.get(name, ()), *own}, key=in_order)
    place = pd.Series(range(len(names)), index=names)
    labels = [_moved(table, int(start), place, classes) for table, start in zip(tables, starts, strict=True)]
    columns = list(dict.fromkeys(name for table in tables for name in table.columns))
    return replace(
        tables[0],
        smiles=[text for table in tables for text in table.smiles],
        source_ids=[text for table in tables for text in table.source_ids],
        rows=np.arange(1, sum(sizes) + 1, dtype=np.int64),
        labels=pd.concat(labels, ignore_index=True),
        tasks=tasks.drop_duplicates("name").set_index("name").loc[names].reset_index(),
        classes=classes,
        columns={
            name: [text for table in tables for text in table.columns.get(name, [None] * len(table.rows))]
            for name in columns
        },
        notes=_added(tables),
        left_out={
            int(start) + position: reason
            for table, start in zip(tables, starts, strict=True)
            for position, reason in table.left_out.items()
        },
        files=list(zip(paths, sizes, strict=True)),
    )


def _moved(table: RawTable, start: int, place: pd.Series, classes: dict[str, list[str]]) -> pd.DataFrame:
    """Return the labels of a file as those of the whole."""
    names = table.tasks["name"].tolist()
    labels = table.labels.assign(
        row_position=table.labels["row_position"] + start,
        task=place[names].to_numpy(np.int32)[table.labels["task"]],
    )
    if "bound" not in labels:
        labels["bound"] = "="
    for name, own in table.classes.items():
        of_task = (table.labels["task"] == names.index(name)).to_numpy()
        at = {text: code for code, text in enumerate(classes[name])}
        codes = np.array([at[text] for text in own], np.float64)
        labels.loc[of_task, "value"] = codes[labels["value"].to_numpy()[of_task].astype(np.int64)]
    return labels


def _added(tables: Sequence[RawTable]) -> dict[str, int | str]:
    """Return the notes of all tables, of which numbers are added."""
    notes: dict[str, int | str] = {}
    for table in tables:
        for name, value in table.notes.items():
            before = notes.get(name)
            notes[name] = before + value if isinstance(before, int) and isinstance(value, int) else value
    return notes
