"""Task sheets: which proteins a task measures."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from relatask.core.errors import RelataskError
from relatask.sources.table_files import read_texts, row_in_file

# Columns that may name the task, in this order; a ToxCast sheet numbers the tasks in `task` and names
# them in `assay`.
_NAMES = ("task", "assay")
_STRING_IDS = ("string_id", "string_v9_ensp")


def tasks_without_sheet(names: Sequence[str]) -> pd.DataFrame:
    """Return the tasks table of a source that knows nothing of proteins."""
    empty: list[list[str]] = [[] for _ in names]
    return pd.DataFrame(
        {
            "name": pd.Series(list(names), dtype=object),
            "source_id": pd.Series([None] * len(names), dtype=object),
            "uniprots": pd.Series(empty, dtype=object),
            "string_ids": pd.Series(empty, dtype=object),
        }
    )


def read_task_sheet(
    path: str | Path, names: Sequence[str], name_columns: Sequence[str] = _NAMES
) -> pd.DataFrame:
    """Read a CSV or Parquet sheet of task, uniprot and string_id and align it with the tasks `names`.

    Several accessions in one cell are separated by ``;``; other columns are ignored; rows of tasks that
    are not in `names` are counted in the log; a task without a row has no proteins.

    Args:
        path: the sheet.
        names: the tasks in source order.
        name_columns: columns that may hold the task's name; the first that knows any task is used.

    Raises:
        RelataskError: no column names a task, a task stands twice, or there is no protein column.
    """
    columns = read_texts(path)
    present = [column for column in name_columns if column in columns]
    if not present:
        raise RelataskError(f"{path}: a task sheet needs the column {name_columns[0]!r}.")
    known = set(names)
    found = [column for column in present if known & set(columns[column])]
    if not found:
        raise RelataskError(
            f"{path}: no value of column {present[0]!r} is a task of the data, e.g. {list(names[:3])}; "
            "write the tasks as in the header of the data."
        )
    strings = next((column for column in _STRING_IDS if column in columns), None)
    if "uniprot" not in columns and strings is None:
        raise RelataskError(f"{path}: a task sheet needs the column 'uniprot' or 'string_id'.")
    row_of: dict[str, int] = {}
    for row, name in enumerate(columns[found[0]]):
        if row_of.setdefault(name, row) != row and name in known:
            again = row_in_file(path, row)
            raise RelataskError(f"{path}, {again}: the task {name!r} stands above already; keep one row.")
    tasks = tasks_without_sheet(names)
    for target, column in (("uniprots", "uniprot"), ("string_ids", strings)):
        if column in columns:
            tasks[target] = [
                _split(columns[column][row_of[name]]) if name in row_of else [] for name in names
            ]
    unused = len(row_of.keys() - known - {""})
    logging.info(
        "%s: %d of %d tasks have proteins, %d tasks have no row, %d rows name no task of the data.",
        path,
        int(((tasks.uniprots.str.len() + tasks.string_ids.str.len()) > 0).sum()),
        len(names),
        sum(name not in row_of for name in names),
        unused,
    )
    return tasks


def _split(cell: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in cell.split(";") if part.strip()))
