"""What unpickled stand-ins hold: text lists, pandas Series and sparse matrices as numpy arrays."""

from itertools import pairwise
from typing import Any

import numpy as np

from relatask.sources.lsc.pickles import (
    Array,
    Coo,
    Csc,
    Index,
    Kept,
    Manager,
    Series,
    SparseMatrix,
    StringArray,
)

LONGEST = 10**7  # rows, columns or labels, several times ChEMBL; memory for a forged size is not reserved


class LayoutError(ValueError):
    """A stand-in does not hold what its kind needs."""


def entries_of(matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """Return (row int64 [E], column int64 [E], value [E], shape) of a sparse matrix; memory O(E).

    Raises:
        LayoutError: it is no sparse matrix, or its arrays contradict each other.
    """
    if not isinstance(matrix, SparseMatrix):
        raise LayoutError(f"expected a sparse matrix, found {name_of(matrix)}")
    state = matrix.state
    try:
        shape = tuple(int(size) for size in state.get("_shape", state.get("shape")))
        if len(shape) != 2 or not 0 <= min(shape) <= max(shape) <= LONGEST:
            raise LayoutError(f"the shape {shape} of the matrix is not that of a data set")
        values = array_of(state["data"])
        if isinstance(matrix, Coo):
            pair = state["coords"] if "coords" in state else (state["row"], state["col"])
            major, minor = (array_of(part) for part in pair)
        else:
            starts, minor = array_of(state["indptr"]), array_of(state["indices"])
            lines = shape[1] if isinstance(matrix, Csc) else shape[0]
            if (
                starts.dtype.kind != "i"
                or len(starts) != lines + 1
                or starts[0]
                or (np.diff(starts) < 0).any()
            ):
                raise LayoutError("the index pointers of the matrix are wrong")
            if starts[-1] > len(minor):
                raise LayoutError("the index pointers of the matrix point behind its end")
            major = np.repeat(np.arange(lines), np.diff(starts))
            values, minor = values[: starts[-1]], minor[: starts[-1]]
    except (KeyError, TypeError, AttributeError) as error:
        raise LayoutError(f"the sparse matrix lacks {error}") from None
    rows, columns = (minor, major) if isinstance(matrix, Csc) else (major, minor)
    if not len(rows) == len(columns) == len(values):
        raise LayoutError("the arrays of the sparse matrix differ in length")
    for positions, size in ((rows, shape[0]), (columns, shape[1])):
        if positions.dtype.kind not in "iu" or (
            len(positions) and not 0 <= positions.min() <= positions.max() < size
        ):
            raise LayoutError("an index of the sparse matrix lies outside of it")
    return rows.astype(np.int64), columns.astype(np.int64), values, (shape[0], shape[1])


def series_of(series: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return (labels, values) of a pandas Series of any version since 0.14.

    Raises:
        LayoutError: it is no Series, or its parts do not fit.
    """
    if not isinstance(series, Series):
        raise LayoutError(f"expected a pandas Series, found {name_of(series)}")
    state = series.state
    manager = state.get("_mgr", state.get("_data")) if isinstance(state, dict) else None
    if not isinstance(manager, Manager):
        raise LayoutError("the pandas Series holds no data")
    try:
        if manager.arguments:  # (block, axis), the block as (values, placement, dimensions)
            block, axis = manager.arguments[:2]
            values = block[0]
        else:  # (axes, values of blocks, items of blocks, the same by name)
            (axis,), (values, *_) = manager.state[:2]
        labels, cells = _labels(axis), array_of(values).reshape(-1)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise LayoutError(f"the pandas Series has another layout ({error})") from None
    if len(labels) != len(cells):
        raise LayoutError(f"the pandas Series has {len(labels)} labels for {len(cells)} values")
    return labels, cells


def array_of(value: Any) -> np.ndarray:
    """Return the numpy array that `value` holds; strings of Arrow become objects."""
    if isinstance(value, Array):
        return value.value
    if isinstance(value, StringArray):
        return _arrow_strings(value)
    raise LayoutError(f"expected an array, found {name_of(value)}")


def name_of(value: Any) -> str:
    """What to call an unpickled object in a message."""
    return value.kind if isinstance(value, Kept) else type(value).__name__


def _labels(axis: Any) -> np.ndarray:
    if not isinstance(axis, Index):
        raise LayoutError(f"expected an index, found {name_of(axis)}")
    parts = axis.arguments[1]
    if "data" in parts:
        return array_of(parts["data"]).reshape(-1)
    span = range(int(parts["start"] or 0), int(parts["stop"]), int(parts["step"] or 1))
    if len(span) > LONGEST:
        raise LayoutError("the index is longer than any data set")
    return np.arange(span.start, span.stop, span.step)


def _arrow_strings(value: StringArray) -> np.ndarray:
    """Strings from Arrow's buffers: (type, length, nulls, offset, [validity, offsets, text], ...)."""
    state = value.state
    restored = state.get("_pa_array", state.get("_data"))
    if isinstance(restored, tuple) and len(restored) == 1:  # the arguments stand in a tuple of their own
        restored = restored[0]
    (kind,), length, nulls, offset, (_, (offsets,), (text,)), *_ = restored
    if kind not in {"large_string", "string"} or nulls or offset:
        raise LayoutError("labels must be strings without gaps")
    width = "<i8" if kind == "large_string" else "<i4"
    ends = np.frombuffer(offsets, dtype=width)[: length + 1].tolist()
    if len(ends) != length + 1 or ends[-1] > len(text):
        raise LayoutError("the strings are cut off")
    return np.array([text[a:b].decode() for a, b in pairwise(ends)], dtype=object)
