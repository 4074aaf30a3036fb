"""Cells of users' tables: words, bounds, what was not measured, units, and all bad cells at once."""

import json
import logging
import random
import re
import time
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.data.source_tables import SourceContext
from relatask.sources.active import ActiveRule
from relatask.sources.cells import MISSING, SHOWN, BadCells
from relatask.sources.label_cells import NOT_MEASURED, WORDS, LabelColumn, bad_cells
from relatask.sources.molecules import read_source
from relatask.sources.table_files import open_table
from relatask.sources.units import MOLAR, concentration_unit, p_value_of
from tests.helpers.data_tables import source_of

MOLECULES = [f"{'C' * n}O" for n in range(3, 40)]


def write(folder, rows, header="smiles,A"):
    path = folder / "x.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def column_of(folder, cells, **keys):
    """Value and bound that each of the cells of one column says, None where nothing was measured."""
    rows = [f'{smiles},"{cell}"' for smiles, cell in zip(MOLECULES, cells, strict=False)]
    table = read_source(source_of(reader="table", path=str(write(folder, rows)), **keys), "mine")
    found: list = [None] * len(cells)
    bounds = table.labels["bound"] if "bound" in table.labels else ["="] * len(table.labels)
    for row, value, bound in zip(table.labels["row_position"], table.labels["value"], bounds, strict=True):
        found[row] = (value, bound)
    return found


def prepared(folder, cells, **keys):
    rows = [f'{smiles},"{cell}"' for smiles, cell in zip(MOLECULES, cells, strict=False)]
    block = source_of(reader="table", path=str(write(folder, rows)), **keys)
    return load_file(block.record).prepare(block, SourceContext("mine"))


def test_words_in_any_case_are_labels_and_the_log_says_how_they_were_read(tmp_path, caplog):
    for word, (_, label) in WORDS.items():
        for cell in (word, word.upper(), f" {word.title()} "):
            assert column_of(tmp_path, [cell]) == [(label, "=")]
    caplog.set_level(logging.INFO)
    caplog.clear()
    assert column_of(tmp_path, ["Active", "inactive", "ACTIVE", "1"]) == [
        (1, "="),
        (0, "="),
        (1, "="),
        (1, "="),
    ]
    assert "words read as labels: 'active' as 1 (2 cells), 'inactive' as 0 (1 cells)" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_column_that_mixes_words_of_several_kinds_is_told(tmp_path, caplog):
    assert column_of(tmp_path, ["active", "no", "inactive"]) == [(1, "="), (0, "="), (0, "=")]
    assert "column 'A' mixes words of several kinds" in caplog.text
    assert "'active' as 1, 'inactive' as 0, 'no' as 0; check that they mean the same" in caplog.text


def test_what_was_not_measured_is_listed_once_with_its_counts(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    cells = ["n.d.", "-", "ND", "n/a", "-", "", "1", "inconclusive"]
    assert column_of(tmp_path, cells) == [None] * 6 + [(1, "=")] + [None]
    said = [record.getMessage() for record in caplog.records if "not measured" in record.getMessage()]
    assert len(said) == 1
    assert "'-' (2 cells), 'n.d.' (1 cells), 'ND' (1 cells), 'n/a' (1 cells)" in said[0]
    for text in NOT_MEASURED:
        assert column_of(tmp_path, [text], values="real") == [None]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (">10", (10, ">")), ("> 10", (10, ">")), (">=10", (10, ">=")), ("≥1", (1, ">=")), ("=>2", (2, ">=")),
        ("<4", (4, "<")), ("≤ 4", (4, "<=")), ("<=4e0", (4, "<=")), ("~5.5", (5.5, "=")), ("=5", (5, "=")),
        ("≈ 5", (5, "=")), ("-3", (-3, "=")), (">-3", (-3, ">")),
    ],
)  # fmt: skip
def test_bounds_are_read_in_columns_of_values_and_where_a_rule_makes_labels(tmp_path, cell, said):
    assert column_of(tmp_path, [cell], values="real") == [said]
    assert column_of(tmp_path, [cell], active={"at_least": 6}) == [said]


def test_a_bound_makes_a_label_where_it_can_and_is_else_missing_counted_and_listed(tmp_path):
    cells = [">10", ">4", "<4", "7", "active", "inactive", "<9"]
    tables = prepared(tmp_path, cells, active={"at_least": 6})
    labels = dict(zip(tables.labels["item_id"], tables.labels["value"], strict=True))
    assert labels == {0: 1, 2: 0, 3: 1, 4: 1, 5: 0}
    assert tables.counts["labels"]["undecided"] == tables.counts["labels"]["undecided_cells"] == 2
    assert tables.conflicts[["smiles", "rows", "values"]].to_numpy().tolist() == [
        [MOLECULES[1], "2", ">4"],
        [MOLECULES[6], "7", "<9"],
    ]
    assert tables.conflicts["reason"].str.contains("does not decide").all()


def test_each_assay_may_have_a_threshold_of_its_own_or_none(tmp_path):
    path = write(tmp_path, ["CCCO,6.5,2.5,1", "CCCN,5.5,3.5,0"], "smiles,A,B,C")
    keys = {"active": {"at_least": 6}, "thresholds": {"B": {"at_most": 3}, "C": None}}
    block = source_of(reader="table", path=str(path), **keys)
    tables = load_file(block.record).prepare(block, SourceContext("mine"))
    assert tables.labels["value"].tolist() == [1, 1, 1, 0, 0, 0]


def test_values_of_0_and_1_alone_under_a_rule_are_told(tmp_path, caplog):
    column_of(tmp_path, ["1", "0", "1"], active={"at_least": 6})
    assert "column 'A' holds 0 and 1 alone" in caplog.text
    assert "thresholds: {A: null}" in caplog.text


@pytest.mark.parametrize(
    ("text", "unit"),
    [("nM", "nM"), ("µM", "uM"), ("\u03bcM", "uM"), ("uM", "uM"), ("mol/L", "M"), ("µmol/l", "uM")],
)
def test_units_of_concentrations_are_understood(text, unit):
    assert concentration_unit(text) == unit
    assert MOLAR[unit] <= 0


def test_a_power_of_ten_has_a_whole_p_value():
    for unit, power in MOLAR.items():
        for exponent in range(-6, 7):
            assert p_value_of(10.0**exponent, unit) == -power - exponent


def test_concentrations_become_p_values_and_their_bounds_turn_round(tmp_path):
    cells = ["1000", ">10000", "<=1", "~50", "n.d."]
    found = column_of(tmp_path, cells, values="real", p_values={"A": "nM"})
    assert found[:3] == [(6, "="), (5, "<"), (9, ">=")]
    assert found[3][0] == pytest.approx(-np.log10(50e-9))
    assert found[4] is None
    tables = prepared(tmp_path, cells, values="real", p_values={"A": "µM"}, task_columns=["A"])
    task = tables.tasks.iloc[0]
    assert (task["unit"], task["transform"]) == ("-log10(mol/L)", "-log10(mol/L) of uM")
    tables = prepared(tmp_path, [">10", "10", "9.9", "1"], p_values={"A": "uM"}, active={"at_least": 5})
    assert tables.labels["value"].tolist() == [0, 1, 1, 1]
    assert tables.tasks["unit"].isna().all()  # what is predicted is a probability
    with pytest.raises(RelataskError, match=r"2 cells .* '0' is no concentration above 0 .* '-5' is no conc"):
        column_of(tmp_path, ["1", "0", "-5"], values="real", p_values={"A": "nM"})


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"thresholds": {"A": {"at_least": 1}}, "values": "real"},
            "thresholds: the column 'A' is of kind real",
        ),
        ({"p_values": {"A": "nM"}}, "p_values: the cells of 'A' are no concentrations but of kind binary"),
        ({"p_values": {"A": "g/L"}, "values": "real"}, "'g/L' is no unit of a concentration"),
        ({"p_values": {"A": "nM"}, "units": {"A": "nM"}, "values": "real"}, "units: 'A' has the unit that"),
        ({"units": {"A": "nM"}}, "units: the column 'A' is of kind binary"),
        ({"thresholds": {"Z": None}}, r"has no task 'Z' \(thresholds\)"),
        ({"p_values": {"Z": "nM"}, "values": "real"}, r"has no task 'Z' \(p_values\)"),
    ],
)
def test_each_mistake_in_the_keys_is_one_sentence(tmp_path, keys, said):
    with pytest.raises(RelataskError, match=said):
        column_of(tmp_path, ["1"], **keys)


def test_all_bad_cells_are_told_at_once_with_the_line_of_each(tmp_path):
    rows = ["CCCO,high,1", "", "CCCN,0.5,45%", "CCCC,1,0", "CCCF,>3,1"]
    with pytest.raises(RelataskError) as caught:
        read_source(source_of(reader="table", path=str(write(tmp_path, rows, "smiles,A,B"))), "mine")
    said = str(caught.value)
    assert said.startswith(
        f"{tmp_path / 'x.csv'}: 4 cells cannot be read: line 2, column 'A': 'high' is not a"
    )
    places = re.findall(r"line (\d+), column '(.)': '([^']*)' is", said)
    assert places == [("2", "A", "high"), ("4", "A", "0.5"), ("4", "B", "45%"), ("6", "A", ">3")]
    assert said.endswith(".")
    for way_out in ("leave a cell empty", "give `active`", "task_columns"):
        assert way_out.lower() in said.lower()


def test_of_many_bad_cells_the_first_are_named_and_memory_does_not_grow(tmp_path):
    path = write(tmp_path, [f"CCCO,x{row}" for row in range(30_000)])
    with pytest.raises(RelataskError, match=r"30,000 cells cannot be read: line 2, .*; and 29,990 more\."):
        read_source(source_of(reader="table", path=str(path)), "mine")
    bad = BadCells(open_table(path))
    column, cells = LabelColumn("A"), pa.array([f"x{row}" for row in range(1000)])
    found = column.read(cells, path)
    bad.add(*bad_cells(found, cells, 0, 0, "A"))
    tracemalloc.start()
    for batch in range(1, 30):
        bad.add(*bad_cells(found, cells, 1000 * batch, 0, "A"))
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert bad.count == 30_000
    assert [cell.row for cell in bad.first] == list(range(SHOWN))
    assert grown < 50_000


def test_numbers_and_texts_of_parquet_are_read_alike(tmp_path):
    frame = pd.DataFrame({"smiles": MOLECULES[:3], "A": [5.0, 7.0, None], "B": [">7", "n.d.", "inactive"]})
    frame.to_parquet(tmp_path / "x.parquet")
    block = source_of(reader="table", path=str(tmp_path / "x.parquet"), active={"at_least": 6})
    tables = load_file(block.record).prepare(block, SourceContext("mine"))
    assert tables.labels["value"].tolist() == [0, 1, 1, 0]


UGLY = [
    *WORDS, *NOT_MEASURED, "0", "1", "0.0", "1e0", "5.5", ">5", "<5", ">=6", "≤6", "~6", "> 6", "≈7", "6,5",
    "?", "45%", "inf", "-inf", "1_0", ">", "<>", "> <", ">>5", "5 nM", "1e400", "-0", "\u0661", "x" * 300,
    "ACTIVE!", "+", "5±1",
]  # fmt: skip


@pytest.mark.parametrize("keys", [{}, {"active": {"at_least": 6}}, {"values": "real"}, {"values": "class"}])
def test_of_a_thousand_ugly_cells_each_is_a_label_or_counted_or_named(tmp_path, keys):
    draw = random.Random(0)
    path = tmp_path / "x.csv"
    molecules = [f"{'C' * (3 + n % 40)}{'N' if n % 80 < 40 else 'O'}" for n in range(200)]
    grid = [[draw.choice(UGLY) for _ in range(5)] for _ in molecules]

    def write_grid() -> None:
        frame = pd.DataFrame(grid, columns=list("ABCDE"))
        frame.insert(0, "smiles", molecules)
        frame.to_csv(path, index=False)

    write_grid()
    block = source_of(reader="table", path=str(path), **keys)
    bad = 0
    if keys != {"values": "class"}:
        with pytest.raises(RelataskError) as caught:
            read_source(block, "mine")
        assert "\n" not in str(caught.value)
        bad = int(re.search(r": ([\d,]+) cells cannot", str(caught.value))[1].replace(",", ""))
        assert str(caught.value).count("column '") == SHOWN
    column = LabelColumn(
        "A", keys.get("values", "binary"), ActiveRule(**keys["active"]) if "active" in keys else None
    )
    is_bad = {cell: bool(column.read(pa.array([cell]), path).wrong) for cell in UGLY}
    assert bad == sum(is_bad[cell] for row in grid for cell in row)
    grid = [["" if is_bad[cell] else cell for cell in row] for row in grid]
    write_grid()
    tables = load_file(block.record).prepare(block, SourceContext("mine"))
    counts = tables.counts["labels"]
    missing = MISSING if keys == {"values": "class"} else NOT_MEASURED
    assert counts["in"] == sum(cell.strip().lower() not in missing for row in grid for cell in row)
    assert counts["in"] == sum(counts[key] for key in ("out", "merged", "conflicting", "undecided"))
    assert len(tables.conflicts) == counts["conflicting_cells"] + counts["undecided_cells"]
    listed = sum(len(rows.split(";")) for rows in tables.conflicts["rows"])
    assert listed == counts["conflicting"] + counts["undecided"]
    assert json.dumps(tables.counts)


def test_a_column_of_ids_that_is_called_classes_takes_no_square_of_their_number(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles,A\n" + "".join(f"CCCO,id {n}\n" for n in range(30_000)))
    block = source_of(reader="table", path=str(path), values="class")
    started = time.process_time()
    table = read_source(block, "mine")
    assert time.process_time() - started < 2  # 7 s where each class was looked for in a list
    assert len(table.classes["A"]) == len(table.labels) == 30_000
