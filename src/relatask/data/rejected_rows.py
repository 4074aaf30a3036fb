"""Rejected rows as the files have them: which file, and which of its rows."""

import numpy as np
import pandas as pd

from relatask.data.raw_table import RawTable


def as_in_files(rejected: pd.DataFrame, table: RawTable) -> pd.DataFrame:
    """Return table "rejected" with the column `file` and the rows of that file, where there are several.

    Args:
        rejected: `row` is numbered through all files, also where a reason names one.
        table: the rows that were standardised.
    """
    if not table.files:
        return rejected
    paths, sizes = zip(*table.files, strict=True)
    starts = np.cumsum([0, *sizes[:-1]])

    def place(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        file = np.searchsorted(starts, rows - 1, side="right") - 1
        return file, rows - starts[file]

    file, row = place(rejected["row"].to_numpy(np.int64))
    reasons = rejected["reason"].str.extract(r"^(duplicate of row )([0-9]+)$")
    same = reasons[1].notna().to_numpy()
    others, other_rows = place(reasons[1][same].to_numpy(np.int64))
    said = rejected["reason"].to_numpy(object).copy()
    said[same] = [
        f"duplicate of row {number} of {paths[other]}"
        for other, number in zip(others, other_rows, strict=True)
    ]
    return rejected.assign(row=row, reason=said, file=[paths[number] for number in file])
