"""Rows that were left out as the files of the source have them: which file, and which of its rows."""

import re

import numpy as np
import pandas as pd

from relatask.data.raw_table import RawTable

DUPLICATE = re.compile(r"^duplicate of row ([0-9]+)")


class RowsInFiles:
    """Rows that are numbered through several files, from 1, as rows of each file."""

    def __init__(self, table: RawTable):
        self.paths, sizes = zip(*table.files, strict=True)
        self.starts = np.cumsum([0, *sizes[:-1]])

    def place(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the file of each row (int64), and which row of it it is."""
        file = np.searchsorted(self.starts, rows - 1, side="right") - 1
        return file, rows - self.starts[file]

    def say(self, row: str) -> str:
        """Return e.g. "3 of b.csv"."""
        file, own = self.place(np.array([int(row)]))
        return f"{own[0]} of {self.paths[file[0]]}"


def as_in_files(rejected: pd.DataFrame, table: RawTable) -> pd.DataFrame:
    """Return table "rejected" with the column `file` and the rows of that file, where there are several.

    Args:
        rejected: `row` is numbered through all files, also where a reason names one.
        table: the rows that were standardised.
    """
    if not table.files:
        return rejected
    of = RowsInFiles(table)
    file, row = of.place(rejected["row"].to_numpy(np.int64))
    reasons = [
        DUPLICATE.sub(lambda found: f"duplicate of row {of.say(found[1])}", text, count=1)
        for text in rejected["reason"]
    ]
    return rejected.assign(
        row=row,
        reason=pd.Series(reasons, rejected.index, object),
        file=pd.Series([of.paths[number] for number in file], rejected.index, object),
    )


def conflicts_in_files(conflicts: pd.DataFrame, table: RawTable) -> pd.DataFrame:
    """Return table "conflicts" whose `rows` name the file too, where there are several."""
    if not table.files:
        return conflicts
    of = RowsInFiles(table)
    rows = [";".join(of.say(row) for row in text.split(";")) for text in conflicts["rows"]]
    return conflicts.assign(rows=pd.Series(rows, conflicts.index, object))
