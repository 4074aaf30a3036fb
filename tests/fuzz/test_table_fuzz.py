"""Whatever a user's table holds, each row and each label is counted, or one sentence names the file."""

import csv
import gzip
import io
import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relatask.data.merge import SourceTables, standardise_source
from relatask.data.raw_table import RawTable
from relatask.data.standardise import Limits
from relatask.sources.molecules import read_source
from tests.fuzz.cases import cases, done_or_sentence, result_or_sentence
from tests.fuzz.tables import (
    ARRAYS,
    ENCODINGS,
    KEYS,
    NAMES,
    SUFFIXES,
    grids,
    is_measured,
    is_missing,
    written,
)
from tests.helpers.data_tables import source_of

SOURCE = {"reader": "table"}


def standardised(path: Path, keys: dict[str, Any]) -> tuple[RawTable, SourceTables] | None:
    """What the step prepare_items computes, or None after its sentence."""

    def read() -> tuple[RawTable, SourceTables]:
        config = source_of({**SOURCE, "path": str(path), **keys})
        table = read_source(config, "mine")
        return table, standardise_source(table, Limits(), "mine")

    return result_or_sentence(read, (path.name, "source mine", "task_columns"))


def check_counts(source: SourceTables, n_rows: int, n_labels: int) -> None:
    """Every row is a molecule or rejected with a reason, every label is accounted for."""
    assert len(source.items) + len(source.rejected) == n_rows
    assert sorted(source.rejected["row"]) == sorted(set(source.rejected["row"]))
    assert all(len(reason) > 5 for reason in source.rejected.reason)
    labels = source.counts["labels"]
    assert labels["in"] == n_labels
    ends = ("out", "of_rejected_rows", "merged", "conflicting", "undecided")
    assert n_labels == sum(labels[key] for key in ends)
    assert len(source.conflicts) == labels["conflicting_cells"] + labels["undecided_cells"]
    assert len(source.labels) == labels["out"] == (source.tasks.n_pos + source.tasks.n_neg).sum()


@cases(2)
@given(
    grids(),
    st.sampled_from(SUFFIXES),
    st.sampled_from(["\n", "\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(ENCODINGS),
    st.sampled_from(KEYS),
)
def test_every_row_and_label_of_a_csv_is_counted_or_a_sentence_names_the_file(
    folder: Path, grid: list[list[str]], suffix: str, newline: str, quoting: int, encoding: str, keys: dict
) -> None:
    body = written(grid, suffix, newline, quoting).encode(encoding, "replace")
    path = folder / f"mine.{suffix}"
    path.write_bytes(gzip.compress(body, 1) if suffix.endswith("gz") else body)
    found = standardised(path, keys)
    if found is None:
        return
    table, source = found
    known = "cp1252" if encoding == "latin-1" else encoding  # what is assumed where a file does not say it
    header, *rows = [[cell.encode(encoding, "replace").decode(known) for cell in row] for row in grid]
    header = [name.removeprefix("\ufeff") if n == 0 else name for n, name in enumerate(header)]
    columns = [header.index(name) for name in table.tasks["name"]]
    assert len(columns) == len(header) - 1 - ("id_column" in keys) or "task_columns" in keys
    measured = sum(is_measured(row[column]) for row in rows for column in columns)
    check_counts(source, len(rows), measured)


@cases(8)
@given(grids(), st.sampled_from(SUFFIXES), st.sampled_from(KEYS))
def test_the_command_ends_well_with_all_rows_or_with_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], grid: list[list[str]], suffix: str, keys: dict
) -> None:
    body = written(grid, suffix, "\n", csv.QUOTE_MINIMAL).encode()
    path, out = folder / f"commanded.{suffix}", folder / "out"
    path.write_bytes(gzip.compress(body, 1) if suffix.endswith("gz") else body)
    block = json.dumps({**SOURCE, "path": str(path), **keys})
    command = ["prepare_items", "--source-config", block, "--name", "mine", "--out-dir", str(out)]
    if done_or_sentence(command, capsys, (path.name, "source mine", "task_columns")):
        counts = json.loads((out / "counts.json").read_text())
        assert counts["rows"] == len(grid) - 1
        kept = pq.read_metadata(out / "items.parquet").num_rows
        assert kept + pq.read_metadata(out / "rejected.parquet").num_rows == len(grid) - 1


PIECES = [
    *("\n", "\r", "\n\n", "\x00", "\ufeff", "\t", "\x1a"),
    *('"', '""', '\\"', '\n"', '",', ",", ";", "é", "'"),
]
WHOLE = 'smiles,A,"B, b"\nCCCO,1,0\nCCCN,,1\n"CC(=O)O",nan,"0"\nc1ccccc1C,0,NA\n'


@cases(4)
@given(
    st.lists(
        st.tuples(st.integers(0, 80), st.sampled_from(PIECES), st.integers(0, 3)), min_size=1, max_size=3
    )
)
def test_a_csv_with_strange_characters_has_the_rows_that_another_reader_finds(
    folder: Path, edits: list[tuple[int, str, int]]
) -> None:
    text = WHOLE
    for place, piece, length in edits:
        text = text[:place] + piece + text[place + length :]
    path = folder / "edited.csv"
    path.write_bytes(text.encode())
    found = standardised(path, {})
    if found is None:
        return
    table, source = found
    rows = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")) if row]
    assert {len(row) for row in rows} == {len(rows[0])}
    smiles = rows[0].index(next(name for name in rows[0] if name.strip().lower() == "smiles"))
    expected = [None if is_missing(row[smiles]) else row[smiles].strip() for row in rows[1:]]
    assert table.smiles == expected
    cells = [cell for row in rows[1:] for n, cell in enumerate(row) if n != smiles]
    check_counts(source, len(rows) - 1, sum(map(is_measured, cells)))


def parquet_bytes() -> bytes:
    columns = {"smiles": ["CCCO", "CCCN", "é"] * 40, "A": [1.0, None, 0.0] * 40, "B": ["1", "", "0"] * 40}
    handle = io.BytesIO()
    pq.write_table(pa.table(columns), handle, compression="snappy")
    return handle.getvalue()


DAMAGED = {
    "csv": WHOLE.encode() * 3,
    "csv.gz": gzip.compress(WHOLE.encode() * 40, mtime=0),
    "parquet": parquet_bytes(),
}


@cases(4)
@given(
    st.sampled_from(list(DAMAGED)),
    st.sampled_from(["cut", "flip", "drop", "repeat", "junk"]),
    st.floats(0, 1, exclude_max=True),
    st.binary(min_size=1, max_size=6),
)
def test_damaged_bytes_are_read_whole_or_named(
    folder: Path, suffix: str, how: str, share: float, junk: bytes
) -> None:
    body = DAMAGED[suffix]
    place = int(share * len(body))
    body = {
        "cut": body[:place],
        "flip": body[:place] + bytes([body[place] ^ (junk[0] or 1)]) + body[place + 1 :],
        "drop": body[:place] + body[place + len(junk) :],
        "repeat": body + body[:place],
        "junk": body[:place] + junk + body[place:],
    }[how]
    path = folder / f"damaged.{suffix}"
    path.write_bytes(body)
    found = standardised(path, {})
    if found is not None:
        check_counts(found[1], len(found[0].rows), len(found[0].labels))


@cases(4)
@given(
    st.lists(st.sampled_from(range(len(ARRAYS))), min_size=1, max_size=3),
    st.sampled_from([*[-4, -3] * 20, *range(len(ARRAYS))]),
    st.lists(st.sampled_from(NAMES), min_size=3, max_size=3, unique=True),
    st.sampled_from(KEYS),
)
def test_a_parquet_file_of_any_types_is_read_whole_or_named(
    folder: Path, chosen: list[int], molecules: int, names: list[str], keys: dict
) -> None:
    arrays = [ARRAYS[molecules], *(ARRAYS[number] for number in chosen)]
    n_rows = min(len(array) for array in arrays)
    arrays = [array.slice(0, n_rows) for array in arrays]
    path = folder / "mine.parquet"
    pq.write_table(pa.table(arrays, names=["smiles", *names[: len(chosen)]]), path)
    found = standardised(path, keys)
    if found is not None:
        check_counts(found[1], n_rows, len(found[0].labels))


def test_a_hundred_thousand_columns_are_read_in_seconds(folder: Path) -> None:
    n = 100_000
    path = folder / "wide.csv"
    header = ",".join(["smiles", *(f"task {number}" for number in range(n))])
    path.write_text("\n".join([header, "CCCO," + "1," * (n - 1), "CCCN," + "0,1," * (n // 2 - 1) + ",0"]))
    start = time.process_time()
    found = standardised(path, {})
    assert time.process_time() - start < 20
    assert found is not None
    check_counts(found[1], 2, 2 * n - 2)
    assert len(found[1].tasks) == n
