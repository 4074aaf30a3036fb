"""Lists of numbers in the cells of a table of items, whoever made the table."""

import numpy as np


def numbers_in(cell: object) -> np.ndarray | None:
    """Return the numbers of a list as an array [n] of a numeric type; None where the cell is no such list."""
    if not isinstance(cell, list | tuple | np.ndarray):
        return None
    try:
        found = cell if isinstance(cell, np.ndarray) and cell.dtype != object else np.asarray(list(cell))
    except ValueError:  # lists of several lengths
        return None
    return found if found.ndim == 1 and (found.dtype.kind in "iuf" or not len(found)) else None


def are_whole(numbers: np.ndarray) -> np.ndarray:
    """Return which of some numbers are whole and fit an int64."""
    return np.isfinite(numbers) & (numbers == numbers.round()) & (abs(numbers) < 2**63)
