"""Pickles from outside, read without running anything that they name.

A pickle may name any function of Python and have it called. This reader never imports what a file names:
the few names that numpy arrays, scipy sparse matrices, pandas Series and their indices are written with
stand for the plain classes below, which only keep what the file says; every other name is refused. The same
table serves files of Python 2 and of any version of the libraries, because none of them takes part.

Allowed names, by what stands for them:
  arrays    numpy: ndarray, dtype, _reconstruct, _frombuffer, scalar; _codecs.encode; bytes, bytearray
  sparse    scipy.sparse: csr_matrix, csc_matrix, coo_matrix and the arrays of these names
  Series    pandas: Series, SingleBlockManager, _unpickle_block, Index and its old kinds, _new_Index
  strings   pandas: ArrowStringArray, StringDtype; pyarrow.lib: _restore_array, type_for_alias, py_buffer
  plumbing  copyreg._reconstructor, object, slice
"""

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from relatask.core.errors import RelataskError


class Kept:
    """What a pickle says of an object: the arguments it was made with and the state it was given."""

    kind = "object"
    arguments: tuple[Any, ...] = ()
    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


class SparseMatrix(Kept):
    """csr, csc or coo; `state` holds its arrays by name."""

    kind = "sparse matrix"


class Csr(SparseMatrix):
    """Rows are compressed."""


class Csc(SparseMatrix):
    """Columns are compressed."""


class Coo(SparseMatrix):
    """Row and column of every entry."""


class Series(Kept):
    """`state` holds a `Manager`."""

    kind = "pandas Series"


class Manager(Kept):
    """Axes and blocks of a Series: as state in a tuple, or as arguments (block, axis)."""


class Index(Kept):
    """Labels: `arguments` are (class, {data or start, stop, step})."""


class StringArray(Kept):
    """Strings that pandas keeps in Arrow."""


class Array(Kept):
    """A numpy array; `value` is made from its state."""

    kind = "numpy array"
    value: np.ndarray = np.empty(0)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        if dtype.spec.kind == "O":
            if not isinstance(data, list):
                raise pickle.UnpicklingError("an array of objects must come as a list")
            self.value = np.empty(len(data), dtype=object)
            self.value[:] = data
        else:
            self.value = np.frombuffer(_octets(data), dtype=dtype.spec)
        self.value = self.value.reshape(shape, order="F" if fortran else "C")


class Dtype(Kept):
    """A plain element type; structured ones, whose layout a file could forge, are refused."""

    spec: np.dtype

    def __init__(self, text: Any, *rest: Any) -> None:
        text = text.decode("latin1") if isinstance(text, bytes) else text
        if not isinstance(text, str) or not re.fullmatch(r"[<>|=]?[biufSUO]\d{0,4}", text):
            raise pickle.UnpicklingError(f"element type {text!r} is not allowed")
        self.spec = np.dtype(text)

    def __setstate__(self, state: Any) -> None:
        if state[1] in (">", b">"):  # the machine's own order, and "|" of single bytes, need nothing
            self.spec = self.spec.newbyteorder(">")


def _octets(data: Any) -> bytes:
    if isinstance(data, str):  # bytes of Python 2
        return data.encode("latin1")
    if not isinstance(data, bytes | bytearray):  # bytes(number) would reserve memory
        raise pickle.UnpicklingError(f"expected bytes, found {type(data).__name__}")
    return bytes(data)


def _no_state(state: Any) -> NoReturn:
    raise pickle.UnpicklingError("a function cannot be given a state")


def _function(function: Callable) -> Callable:
    """A function that the file may call, but not change."""
    function.__setstate__ = _no_state  # type: ignore[attr-defined]
    return function


@_function
def _make_array(*arguments: Any) -> Array:
    return Array(*arguments)


@_function
def _array_from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any, *axes: Any) -> Array:
    array = Array()
    array.__setstate__((1, shape, dtype, order == "F", buffer))
    return array


@_function
def _scalar(dtype: Any, data: Any) -> Any:
    return data if dtype.spec.kind == "O" else np.frombuffer(_octets(data), dtype=dtype.spec)[0].item()


@_function
def _encode(text: str, encoding: str = "utf-8") -> bytes:
    if encoding not in {"latin1", "latin-1", "utf-8", "utf8", "ascii"}:
        raise pickle.UnpicklingError(f"encoding {encoding!r} is not allowed")
    return text.encode(encoding)


@_function
def _reconstruct(cls: Any, base: Any, state: Any) -> Any:
    if not (isinstance(cls, type) and issubclass(cls, Kept)):
        raise pickle.UnpicklingError("copyreg._reconstructor may make only what the allow-list names")
    return cls()


@_function
def _as_bytes(value: Any = b"") -> bytes:
    return _octets(value)


@_function
def _keep(*arguments: Any) -> tuple:
    return arguments


_INDICES = ("Index", "Int64Index", "UInt64Index", "Float64Index", "RangeIndex")
_NAMES: dict[str, dict[str, Any]] = {
    r"numpy|numpy\._?core\.(multiarray|numeric)": {
        "ndarray": Array,
        "dtype": Dtype,
        "_reconstruct": _make_array,
        "_frombuffer": _array_from_buffer,
        "scalar": _scalar,
    },
    r"scipy\.sparse(\._?(csr|csc|coo))?": {
        f"{name}_{form}": kind
        for name, kind in {"csr": Csr, "csc": Csc, "coo": Coo}.items()
        for form in ("matrix", "array")
    },
    r"pandas|pandas\.core\.(series|internals|internals\.managers|index|indexes\.\w+)|pandas\.indexes\.\w+"
    r"|pandas\.arrays|pandas\.core\.arrays\.string_\w*|pandas\._libs\.internals": {
        "Series": Series,
        "SingleBlockManager": Manager,
        "_unpickle_block": _keep,
        "_new_Index": Index,
        "ArrowStringArray": StringArray,
        "ArrowStringArrayNumpySemantics": StringArray,
        "StringDtype": _keep,
        **dict.fromkeys(_INDICES, Index),
    },
    r"pyarrow\.lib": {"_restore_array": _keep, "type_for_alias": _keep, "py_buffer": _keep},
    r"_codecs": {"encode": _encode},
    r"copyreg|copy_reg": {"_reconstructor": _reconstruct},
    r"builtins|__builtin__": {"object": object, "slice": slice, "bytearray": _as_bytes, "bytes": _as_bytes},
}


class _Reader(pickle.Unpickler):
    def __init__(self, handle: Any, path: Path) -> None:
        super().__init__(handle, encoding="latin1")
        self.path = path

    def find_class(self, module: str, name: str) -> Any:
        for pattern, names in _NAMES.items():
            if name in names and re.fullmatch(pattern, module):
                return names[name]
        raise RelataskError(
            f"{self.path} names {module}.{name}, which no file of this layout needs and which could run "
            "code; it was not read: get the file from its official address."
        )


def read_pickles(path: Path, count: int) -> list[Any]:
    """Return the first `count` objects pickled one after the other into a file.

    Raises:
        RelataskError: the file is absent, broken, or names something that is not allowed.
    """
    try:
        with path.open("rb") as handle:
            return [_Reader(handle, path).load() for _ in range(count)]
    except FileNotFoundError:
        raise RelataskError(f"there is no file {path}; retrieve it first.") from None
    except RelataskError:
        raise
    except Exception as error:  # a damaged pickle can fail in every way
        raise RelataskError(
            f"{path} cannot be read, it may be cut off or of another layout ({type(error).__name__}: "
            f"{error}); get it again."
        ) from None
