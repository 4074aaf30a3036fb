"""Whatever an R workspace holds, it is read or one sentence names it, in little time and memory."""

import lzma
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relatask.core.errors import RelataskError
from relatask.sources.r_workspace import read_r_workspace
from tests.fuzz.cases import cases, result_or_sentence
from tests.helpers.r_workspace import integer, workspace

TABLE = {
    "id": ["NA"] * 70 + ["CHEMBL1", None, ""],
    "number": np.arange(5),
    "value": np.array([0.5, np.nan]),
    "deep": (["a"], {"x": ["b"]}, (["c"],)),
}
WHOLE = workspace({"table": TABLE, "more": ["x"]}, version=3)
NUMBERS = st.one_of(
    st.sampled_from(
        [-1, 0, 1, 2, 7, 9, 16, 19, 238, 254, 255, 1026, 2**31 - 1, -(2**31), 16 | 512, 64 << 12 | 9]
    ),
    st.integers(-(2**31), 2**31 - 1),
)
PLACES = st.integers(7, len(WHOLE) - 4)
MOST = 12 << 20  # bytes that a file of a few hundred may take; the dictionary of xz has 8 MiB


def read(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    tracemalloc.start()
    try:
        result_or_sentence(lambda: read_r_workspace(path), (path.name,))
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()


@cases(2)
@given(st.lists(st.tuples(PLACES, NUMBERS), max_size=4), st.integers(0, len(WHOLE)))
def test_lengths_and_types_that_lie(folder: Path, changes: list[tuple[int, int]], end: int) -> None:
    content = bytearray(WHOLE)
    for place, number in changes:
        content[place : place + 4] = integer(number)
    read(folder / "a.rda", bytes(content[: end if len(changes) < 2 else None]))


@cases(4)
@given(st.lists(NUMBERS, max_size=30))
def test_any_items(folder: Path, numbers: list[int]) -> None:
    read(folder / "b.rda", workspace({"x": integer(*numbers)}))


@cases(8)
@given(
    st.sampled_from([19, 20, 2, 1026, 19 | 512, 16 | 512, 1026 | 512]), st.integers(90, 4000), st.booleans()
)
def test_nesting_of_any_depth(folder: Path, kind: int, depth: int, counted: bool) -> None:
    read(folder / "c.rda", workspace({"x": integer(*([kind, 1] if counted else [kind]) * depth)}))


@cases(8)
@given(st.integers(0, 200), st.integers(0, 255))
def test_damage_of_what_is_packed(folder: Path, place: int, byte: int) -> None:
    content = bytearray(lzma.compress(WHOLE))
    content[place % len(content)] = byte
    read(folder / "d.rda", bytes(content))


def test_a_packed_file_cannot_ask_for_gigabytes(folder: Path) -> None:
    """The byte 16 of a file of xz says how much memory unpacking takes: 40 is 4 GiB (its format, 5.3.1)."""
    content = bytearray(lzma.compress(WHOLE))
    content[16] = 40
    content[20:24] = zlib.crc32(content[12:20]).to_bytes(4, "little")
    read(folder / "e.rda", bytes(content))
    with pytest.raises(RelataskError, match="Memory usage limit"):
        read_r_workspace(folder / "e.rda")
