"""Writes pickles as Python 2 with libraries of 2017 did, byte for byte where a reader could notice.

Objects are described, not made: the classes of that time no longer exist.
"""

import pickle
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Global:
    """A name that the file refers to."""

    module: str
    name: str


@dataclass(frozen=True)
class Call:
    """What `function(*arguments)` makes, or `cls.__new__(cls, *arguments)`, then given a state."""

    function: Global
    arguments: tuple
    state: Any = None
    new: bool = False


class Writer(pickle._Pickler):  # type: ignore[name-defined]
    """Protocol 2; bytes become the `str` of Python 2."""

    def __init__(self, handle: BytesIO) -> None:
        super().__init__(handle, protocol=2)

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(b"c" + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(pickle.NEWOBJ if obj.new else pickle.REDUCE)
            if obj.state is not None:
                self.save(obj.state)
                self.write(pickle.BUILD)
        elif type(obj) is bytes:
            self.write(b"T" + len(obj).to_bytes(4, "little") + obj)
        else:
            super().save(obj, save_persistent_id)


def dumps(*objects: Any) -> bytes:
    """The objects pickled one after the other."""
    handle = BytesIO()
    for obj in objects:
        Writer(handle).dump(obj)
    return handle.getvalue()


def array(values: np.ndarray) -> Call:
    """An array of numbers or objects."""
    kind = values.dtype.str[1:].encode()
    state = (3, b"|" if kind == b"O" else b"<", None, None, None, -1, -1, 0)
    dtype = Call(
        Global("numpy", "dtype"), (kind.replace(b"O8", b"O") if kind == b"O8" else kind, 0, 1), state
    )
    data = values.tolist() if values.dtype == object else values.tobytes()
    start = (Global("numpy", "ndarray"), (0,), b"b")
    return Call(Global("numpy.core.multiarray", "_reconstruct"), start, (1, values.shape, dtype, False, data))


def index(values: np.ndarray, module: str = "pandas.indexes.base") -> Call:
    """An index of pandas 0.18 to 0.24, whose modules moved."""
    return Call(
        Global(module, "_new_Index"), (Global(module, "Index"), {b"data": array(values), b"name": None})
    )


def series(values: np.ndarray, labels: Call) -> Call:
    """A Series of pandas 0.14 to 1.0."""
    blocks = [array(values)]
    by_name = {b"0.14.1": {b"axes": [labels], b"blocks": []}}
    manager = Call(
        Global("pandas.core.internals", "SingleBlockManager"),
        (),
        ([labels], blocks, [labels], by_name),
        new=True,
    )
    state = {b"_data": manager, b"_typ": b"series", b"_metadata": [b"name"], b"name": None}
    return Call(Global("pandas.core.series", "Series"), (), state, new=True)


def csr(matrix: Any, old_protocol: bool = False) -> Call:
    """A csr_matrix of scipy before 1.8."""
    state = {b"_shape": matrix.shape, b"maxprint": 50, b"format": b"csr"}
    state |= {name.encode(): array(getattr(matrix, name)) for name in ("data", "indices", "indptr")}
    cls = Global("scipy.sparse.csr", "csr_matrix")
    if old_protocol:
        return Call(Global("copy_reg", "_reconstructor"), (cls, Global("__builtin__", "object"), None), state)
    return Call(cls, (), state, new=True)
