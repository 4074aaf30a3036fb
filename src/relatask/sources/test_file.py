"""A file of the user's own whose molecules are for test, read beside the one that is trained on."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.raw_table import RawTable

if TYPE_CHECKING:
    from relatask.sources.table import TableSource

FOLD = "fold"  # the column of the items that the scheme given reads


def with_test_file(table: RawTable, test: RawTable, block: "TableSource") -> RawTable:
    """Return the rows of both tables, those to train on first, with the fold of each.

    Tasks are told apart by their names, and those of the test file come last that the other does not have; of
    classes the numbers are those of all names in the alphabet. Row numbers of the test file go on after those
    of the other.

    Raises:
        RelataskError: they have no task in common, one is of two kinds, or the rows have a column fold.
    """
    if FOLD in table.columns:
        raise RelataskError(
            f"test_path: items get a column {FOLD!r} by it, and item_columns names one too; remove either."
        )
    n = len(table.smiles)
    known = set(table.tasks["name"])
    names = [*table.tasks["name"], *(name for name in test.tasks["name"] if name not in known)]
    if not known & set(test.tasks["name"]):
        raise RelataskError(
            f"test_path: {block.test_path} has no task in common with {block.path}; its columns must have "
            "the same names."
        )
    both = table.tasks.merge(test.tasks, on="name", suffixes=("", "_of_test"))
    if (strange := both["name"][both["kind"] != both["kind_of_test"]]).any():
        raise RelataskError(f"test_path: {strange.iloc[0]!r} is of another kind in {block.test_path}.")
    tasks = pd.concat([table.tasks, test.tasks]).drop_duplicates("name", ignore_index=True)
    classes = {
        name: sorted({*table.classes.get(name, []), *test.classes.get(name, [])})
        for name in {**table.classes, **test.classes}
    }
    labels = [_labels(one, names, classes) for one in (table, test)]
    labels[1]["row_position"] += n
    together = pd.concat(labels, ignore_index=True)
    if "bound" in together:
        together["bound"] = together["bound"].fillna("=")
    columns = {name: [*values, *test.columns[name]] for name, values in table.columns.items()}
    columns[FOLD] = [*["train"] * n, *["test"] * len(test.smiles)]
    return replace(
        table,
        smiles=[*table.smiles, *test.smiles],
        source_ids=[*table.source_ids, *test.source_ids],
        rows=np.concatenate([table.rows, test.rows + n]),
        labels=together,
        tasks=tasks,
        classes=classes,
        columns=columns,
        notes={**table.notes, "rows_of_test_file": len(test.smiles)},
    )


def _labels(table: RawTable, names: list[str], classes: dict[str, list[str]]) -> pd.DataFrame:
    """Return the labels of a table with tasks and classes by their places in those of both."""
    place = pd.Index(names).get_indexer(pd.Index(table.tasks["name"]))
    labels = table.labels.assign(task=place[table.labels["task"].to_numpy()].astype(np.int32))
    for name, own in table.classes.items():
        of_task = (labels["task"] == names.index(name)).to_numpy()
        number = pd.Index(classes[name]).get_indexer(pd.Index(own))
        labels.loc[of_task, "value"] = number[labels["value"][of_task].astype(np.int64)].astype(np.float64)
    return labels
