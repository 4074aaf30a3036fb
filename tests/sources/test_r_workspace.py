"""R workspaces are read as data, whole, quickly, and within bounds."""

import bz2
import gzip
import lzma
import os
import time
from pathlib import Path

import numpy as np
import pytest

from relatask.core.errors import RelataskError
from relatask.sources import r_workspace
from relatask.sources.r_workspace import NA_INTEGER, read_r_workspace
from tests.helpers.r_workspace import integer, pairs, text, vector, workspace

TABLE = {
    "id": ["CHEMBL1", "CHEMBL2", None],
    "number": np.array([1, NA_INTEGER, 3]),
    "value": np.array([0.5, np.nan, -2e300]),
    "whole": np.array([True, False, True]),
    "raw": np.array([0, 128, 255], np.uint8),
}


def read(folder: Path, content: bytes) -> dict:
    path = folder / "some.rda"
    path.write_bytes(content)
    return read_r_workspace(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("version", [2, 3])
def test_tables_are_read_however_they_are_packed(tmp_path: Path, pack, version: int) -> None:
    found = read(tmp_path, pack(workspace({"first": TABLE, "second": ["x"]}, version=version)))
    assert list(found) == ["first", "second"]
    table = found["first"]
    assert table.names == list(TABLE)
    assert list(table["id"].values) == TABLE["id"]
    for name in ("number", "value", "whole", "raw"):
        np.testing.assert_array_equal(table[name].values, TABLE[name])
    assert list(found["second"].values) == ["x"]


def test_equal_texts_that_follow_each_other_are_all_there(tmp_path: Path) -> None:
    lengths = [1, 2, 63, 64, 65, 66, 127, 128, 129, 1000]
    cells = [cell for length in lengths for cell in ["NA"] * length + [f"{length}"] + [None] * length]
    found = read(tmp_path, workspace({"x": cells, "y": ["NA", "NAN", "NA"]}))
    assert list(found["x"].values) == cells
    assert list(found["y"].values) == ["NA", "NAN", "NA"]


def test_texts_are_read_in_the_encoding_that_they_say(tmp_path: Path) -> None:
    words = integer(16, 4) + text("µ", 8) + text("µ", 4) + text("„", 0) + text("plain")
    found = read(tmp_path, workspace({"x": words}, version=3))
    assert list(found["x"].values) == ["µ", "µ", "„", "plain"]


def test_a_symbol_that_was_named_before_is_a_reference(tmp_path: Path) -> None:
    again = integer(16 | 512, 1) + text("b") + integer(1026, 255 | 1 << 8) + vector(["n"]) + integer(254)
    found = read(tmp_path, workspace({"names": ["a"], "x": again}))
    assert found["x"].names == ["n"]


def nested(depth: int) -> bytes:
    return integer(19, 1) * depth + integer(254)


REFUSED = {
    "is no R workspace in XDR": b"RDA2\nA\n2\n",
    "holds an object of type 3, which": workspace({"x": integer(3)}),  # a function
    "holds an object of type 6, which": workspace({"x": integer(6)}),  # language
    "lists are more than 100 deep": workspace({"x": nested(5000)}),
    "a vector of 2,147,483,647 entries is announced": workspace({"x": integer(16, 2**31 - 1)}),
    "a vector has a length of more than 2 billion": workspace({"x": integer(14, -1, 1, 0)}),
    "stands where a text must be": workspace({"x": integer(16, 1) + integer(13, 0)}),
    "a reference leads nowhere": workspace({"x": integer(255 | 9 << 8)}),
    "a pairlist does not end": workspace({"x": vector(["a"])})[:-4] + integer(13, 0),
    "it holds no named objects": workspace({})[:-4] + vector(["a"]),
    "breaks off or is damaged": workspace({"x": integer(16, 1) + integer(64 << 12 | 9, 1) + b"\xff"}),
    "attributes are no pairlist": workspace({"x": integer(16 | 512, 0) + vector(["a"])}),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_no_data_is_refused_in_a_sentence(tmp_path: Path, said: str) -> None:
    with pytest.raises(RelataskError, match=rf"some\.rda .*{said}.*; get it again\.$"):
        read(tmp_path, REFUSED[said])


@pytest.mark.parametrize("limit", ["MOST_BYTES", "MOST_CELLS", "MOST_ITEMS"])
def test_what_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    content = gzip.compress(workspace({"x": [f"{number}" for number in range(2000)]}))
    assert len(read(tmp_path, content)["x"]) == 2000
    monkeypatch.setattr(r_workspace, limit, 1 << 10)
    with pytest.raises(RelataskError, match="more than"):
        read(tmp_path, content)


@pytest.mark.parametrize("cut", [3, 10, 30, 60, -1])
def test_a_file_that_breaks_off_is_told(tmp_path: Path, cut: int) -> None:
    for pack in (bytes, gzip.compress, lzma.compress):
        with pytest.raises(RelataskError, match=r"some\.rda .*get it again"):
            read(tmp_path, pack(workspace({"x": TABLE}))[:cut])


def test_a_million_cells_take_less_than_a_loop_over_them(tmp_path: Path) -> None:
    column = integer(16, 1 << 20) + text("NA") * (1 << 20)
    before = time.process_time()
    found = read(tmp_path, workspace({"x": column}))
    assert time.process_time() - before < 0.5  # a loop over cells takes 1 s
    assert len(found["x"]) == 1 << 20


def test_attributes_of_pairs_do_not_shift_what_follows(tmp_path: Path) -> None:
    pair = integer(2 | 512 | 1024) + pairs({"note": ["n"]}) + integer(1) + text("a") + vector(["v"])
    found = read(tmp_path, workspace({"x": pair + integer(254), "y": ["w"]}))
    assert list(found["x"]["a"].values) == ["v"]
    assert list(found["y"].values) == ["w"]


@pytest.mark.skipif("RELATASK_ORIGINALS" not in os.environ, reason="RELATASK_ORIGINALS names no folder")
def test_the_workspace_of_timma_has_its_published_size() -> None:
    path = Path(os.environ["RELATASK_ORIGINALS"]) / "kiba.rda"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    table = read_r_workspace(path)["kiba"]
    assert (len(table), len(table["X1"])) == (468, 52498)
    assert sum(int((column.values != "NA").sum()) for column in table.values[1:]) == 243_252  # with #NAME?
