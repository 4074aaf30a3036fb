"""A table is the same in each kind of file, and a damaged file is read whole or named."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from relatask.core.plugins import load_file
from relatask.data.source_tables import SourceContext, SourceTables
from relatask.sources.molecules import read_source
from relatask.sources.table_files import open_table
from tests.fuzz.cases import cases, result_or_sentence
from tests.helpers.data_tables import source_of
from tests.helpers.workbooks import write_sdf, write_workbook

BOOKS = (".xlsx", ".ods", ".xls")
NAMES = ["A", "hERG (µM)", "pIC50 [-log M]", "x;y", "a,b", "a|b", 'say "no"', "受体", "é", "50%", "2024"]
MOLECULES = ["CCCO", "CCCN", "c1ccccc1C", "CC(=O)O", "C[C@H](N)C(=O)O", "no molecule", None]
VALUES = st.one_of(
    st.none(), st.integers(-999, 9999), st.floats(-1e6, 1e6, allow_nan=False), st.just(1e-7), st.just(1e30)
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[Any]]:
    """A header and rows of numbers behind a SMILES."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    row = st.tuples(st.sampled_from(MOLECULES), *[VALUES] * len(names))
    return [["smiles", *names], *map(list, draw(st.lists(row, min_size=1, max_size=6)))]


def save(
    path: Path, grid: list[list[Any]], form: tuple[str, str] = (",", "."), encoding: str = "utf-8"
) -> Path:
    """Write a table in the kind of file that the name says."""
    header, *rows = grid
    frame = pd.DataFrame(rows, columns=header, dtype=object)
    if path.suffix in BOOKS:
        return write_workbook(path, {"Data": grid})
    if path.suffix == ".parquet":
        types = {name: pa.string() if name == "smiles" else pa.float64() for name in frame}
        pq.write_table(pa.table({name: pa.array(frame[name], types[name]) for name in frame}), path)
    elif path.suffix == ".sdf":
        write_sdf(path, [dict(zip(header, row, strict=True)) for row in rows])
    else:
        texts = frame.map(lambda cell: repr(cell).replace(".", form[1]) if isinstance(cell, float) else cell)
        texts.to_csv(path, index=False, sep=form[0], encoding=encoding)
    return path


def prepared(path: Path, **keys: Any) -> tuple[Any, SourceTables] | None:
    """The raw table and what is made of it, or None after a sentence."""
    block = source_of(reader="table", path=str(path), values="real", **keys)

    def read() -> tuple[Any, SourceTables]:
        return read_source(block, "mine"), load_file(block.record).prepare(block, SourceContext("mine"))

    return result_or_sentence(read, (path.name, "source mine"))


def check(found: tuple[Any, SourceTables] | None, grid: list[list[Any]]) -> None:
    """Every row is a molecule or rejected, and the labels are those of the table."""
    if found is None:
        assert all(row[0] in (None, "no molecule") for row in grid[1:])  # no molecule was left
        return
    table, source = found
    assert len(source.items) + len(source.rejected) == len(grid) - 1
    place = {name: number for number, name in enumerate(table.tasks["name"])}
    columns = [(place[name], column) for column, name in enumerate(grid[0]) if name in place]
    expected = {
        (row, task): float(cells[column])
        for row, cells in enumerate(grid[1:])
        for task, column in columns
        if cells[column] is not None
    }
    labels = table.labels
    found_cells = zip(labels.row_position, labels.task, labels.value, strict=True)
    assert {(row, task): value for row, task, value in found_cells} == expected
    assert source.counts["labels"]["in"] == len(expected)


TEXTS = [(",", "."), (";", ","), (";", "."), ("\t", ","), ("\t", "."), ("|", ",")]


@cases(20)
@given(tables(), st.sampled_from(TEXTS), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]))
def test_a_table_is_the_same_with_each_separator_and_encoding(
    folder: Path, grid: list[list[Any]], form: tuple[str, str], encoding: str
) -> None:
    path = save(folder / "mine.txt", grid, form, encoding)
    keys = {} if form[0] == "," else {"decimal": form[1]}
    check(prepared(path, **keys), grid)
    if result_or_sentence(lambda: open_table(path), (path.name,)) is not None and form[1] == ",":
        guessed = prepared(path)  # what is ambiguous is refused, nothing is read as another number
        if guessed is not None:
            check(guessed, grid)


@cases(40)
@given(tables(), st.sampled_from([*BOOKS, ".parquet", ".sdf"]))
def test_a_table_is_the_same_in_each_kind_of_file(folder: Path, grid: list[list[Any]], kind: str) -> None:
    path = save(folder / f"mine{kind}", grid)
    if kind == ".sdf" and all(cell is None for row in grid[1:] for cell in row[1:]):
        return  # it has a column only where some record has the property
    if kind in BOOKS:
        grid = [row for row in grid if any(cell is not None for cell in row)]  # blank rows do not count
        if len(grid) == 1:
            return
    check(prepared(path), grid)


@cases(20)
@given(tables(), st.sampled_from(TEXTS))
def test_the_long_form_of_a_table_has_its_labels_and_all_rows(
    folder: Path, grid: list[list[Any]], form: tuple[str, str]
) -> None:
    header, *rows = grid
    long = [[row[0], name, cell] for row in rows for name, cell in zip(header[1:], row[1:], strict=True)]
    path = save(folder / "long.csv", [["smiles", "assay", "value"], *long], form)
    keys = {"reader": "measurements", "task_column": "assay", "value_column": "value", "decimal": form[1]}
    block = source_of(keys, path=str(path))
    table = read_source(block, "mine")
    names = table.tasks["name"].tolist()
    found = zip(table.labels.row_position, table.labels.task, table.labels.value, strict=True)
    measured = [(row, name, float(cell)) for row, (_, name, cell) in enumerate(long) if cell is not None]
    assert [(row, names[task], value) for row, task, value in found] == measured
    source = result_or_sentence(
        lambda: load_file(block.record).prepare(block, SourceContext("mine")), ("source mine",)
    )
    if source is not None:
        assert len(source.items) + len(source.rejected) == len(long)


ROWS: list[list[Any]] = [["CCCO", 1.5, None], ["CCCN", 2, 3], ["CC(=O)O", None, 4]]
GRID = [["smiles", "A", "B"], *ROWS * 5]


@cases(20)
@given(
    st.sampled_from([".xlsx", ".ods", ".xls", ".sdf", ".smi"]),
    st.sampled_from(["cut", "flip", "drop", "junk"]),
    st.floats(0, 1, exclude_max=True),
    st.binary(min_size=1, max_size=6),
)
def test_a_damaged_file_is_read_or_named(
    folder: Path, kind: str, how: str, share: float, junk: bytes
) -> None:
    path = folder / f"whole{kind}"
    if not path.exists():
        if kind == ".smi":
            path.write_text("CCCO one\nCCCN two\n")
        else:
            save(path, GRID)
    body = path.read_bytes()
    place = int(share * len(body))
    body = {
        "cut": body[:place],
        "flip": body[:place] + bytes([body[place] ^ (junk[0] or 1)]) + body[place + 1 :],
        "drop": body[:place] + body[place + len(junk) :],
        "junk": body[:place] + junk + body[place:],
    }[how]
    damaged = folder / f"damaged{kind}"
    damaged.write_bytes(body)
    if kind == ".smi":
        result_or_sentence(lambda: [*open_table(damaged).batches(["smiles"])], (damaged.name,))
        return
    found = prepared(damaged)
    if found is not None:
        table, source = found
        assert len(source.items) + len(source.rejected) == len(table.rows)
        assert source.counts["labels"]["in"] == len(table.labels)
