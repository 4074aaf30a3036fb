"""Tables in long format: a row is a measurement, and replicates stay several labels of one cell."""

import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.data.source_tables import SourceContext
from relatask.sources.molecules import read_source
from tests.helpers.data_tables import source_of
from tests.helpers.workbooks import write_workbook

KEYS = {"reader": "measurements", "task_column": "assay", "value_column": "value"}
TEXT = """assay,smiles,value,day
hERG (µM),CCCO,5.5,2020-01-01
Nav1.5,CCCN,4,2021-05-05
hERG (µM),CCCO,5.7,2022-02-02
hERG (µM),CCCN,,2022-02-02
,CCCN,9,2022-02-02
hERG (µM),nonsense,6,2022-02-02
hERG (µM),OCCC,5.9,2022-02-02
"""


def block(path, **keys):
    return source_of({**KEYS, "path": str(path) if not isinstance(path, list) else path, **keys})


def read(path, **keys):
    return read_source(block(path, **keys), "mine")


def write(folder, text, name="long.csv", encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def cells(table):
    names = table.tasks["name"].tolist()
    bounds = table.labels["bound"] if "bound" in table.labels else ["="] * len(table.labels)
    own = zip(table.labels.row_position, table.labels.task, table.labels.value, bounds, strict=True)
    return [(row, names[task], value, bound[0]) for row, task, value, bound in own]


def test_rows_become_labels_and_replicates_stay(tmp_path):
    table = read(write(tmp_path, TEXT), item_columns=["day"])
    assert table.tasks["name"].tolist() == ["hERG (µM)", "Nav1.5"]
    assert cells(table) == [
        (0, "hERG (µM)", 5.5, "="),
        (1, "Nav1.5", 4.0, "="),
        (2, "hERG (µM)", 5.7, "="),
        (5, "hERG (µM)", 6.0, "="),
        (6, "hERG (µM)", 5.9, "="),
    ]
    assert table.columns["day"][:2] == ["2020-01-01", "2021-05-05"]
    assert table.left_out == {4: "no task"}
    assert table.notes["rows_without_value"] == 1


def test_every_row_is_an_item_or_rejected_with_its_reason(tmp_path):
    tables = load_file(block("x").record).prepare(block(write(tmp_path, TEXT)), SourceContext("mine"))
    assert len(tables.items) == 2
    assert dict(zip(tables.rejected["row"], tables.rejected["reason"], strict=True)) == {
        3: "duplicate of row 1",
        4: "duplicate of row 2",
        5: "no task",
        6: "not a valid SMILES: it cannot be parsed",
        7: "duplicate of row 1",
    }
    assert tables.counts["rejected"] == {"no task": 1, "not a valid SMILES": 1}


def test_the_long_form_of_a_table_gives_its_labels(tmp_path):
    wide = pd.DataFrame({"smiles": ["CCCO", "CCCN", "CCCC"], "A": [1.5, None, 2], "B": [None, 3, 4]})
    long = wide.melt("smiles", var_name="assay").dropna().sort_values("smiles", kind="stable")
    path = tmp_path / "long.parquet"
    long.to_parquet(path)
    own = {"values": "real", "path": str(path)}
    table = read_source(source_of({**KEYS, **own}), "mine")
    wide.to_csv(tmp_path / "wide.csv", index=False)
    other = read_source(source_of(reader="table", path=str(tmp_path / "wide.csv"), values="real"), "mine")
    found = {(table.smiles[row], *rest) for row, *rest in cells(table)}
    assert found == {(other.smiles[row], *rest) for row, *rest in cells(other)}
    assert len(found) == 4


NAMES = ("Molecule ChEMBL ID", "Smiles", "Standard Type", "Standard Relation", "Standard Value")
CHEMBL = ";".join(f'"{name}"' for name in (*NAMES, "Standard Units", "Target ChEMBL ID"))
CHEMBL += """
"CHEMBL1";"CCCO";"IC50";"'='";"7.25";"nM";"CHEMBL203"
"CHEMBL2";"CCCN";"IC50";"'>'";"10";"uM";"CHEMBL203"
"CHEMBL2";"CCCN";"IC50";"'<='";"4,5e3";"pM";"CHEMBL203"
"CHEMBL3";"CCCC";"Inhibition";"'='";"45";"%";"CHEMBL203"
"CHEMBL3";"CCCC";"Inhibition";"";"";"";"CHEMBL204"
"CHEMBL3";"CCCC";"IC50";"'~'";"80";"nM";"CHEMBL204"
"CHEMBL3";"CCCC";"IC50";"'~'";"81";"nM";"CHEMBL204"
"""
CHEMBL_KEYS = {
    "id_column": "Molecule ChEMBL ID",
    "task_column": "Target ChEMBL ID",
    "value_column": "Standard Value",
    "relation_column": "Standard Relation",
    "unit_column": "Standard Units",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_export_of_chembl_is_read_with_bounds_in_one_unit(tmp_path, encoding):
    table = read(write(tmp_path, CHEMBL, encoding=encoding), **CHEMBL_KEYS)
    assert cells(table) == [
        (0, "CHEMBL203", 7.25, "="),
        (1, "CHEMBL203", 10_000.0, ">"),
        (2, "CHEMBL203", 4.5, "<"),
        (5, "CHEMBL204", 80.0, "="),
        (6, "CHEMBL204", 81.0, "="),
    ]
    assert table.tasks["unit"].tolist() == ["nM", "nM"]
    assert table.source_ids[:3] == ["CHEMBL1", "CHEMBL2", "CHEMBL2"]
    assert table.left_out == {3: "the unit %, where its task has nM", 4: "no unit, where its task has nM"}


def test_every_spelling_of_a_unit_and_of_a_bound_is_converted(tmp_path):
    """What is not converted would be read as a value in the unit of the others, off by a factor."""
    rows = [
        "5,nM",
        "6,nmol/L",
        "7,\N{MICRO SIGN}mol/l",
        "\N{ALMOST EQUAL TO}8,uM",
        "~9,uM",
        "<=2,nmol/l",
        ">> 3,uM",
    ]
    text = "smiles,assay,value,unit\n" + "".join(
        f"{'C' * n}O,A,{row}\n" for n, row in enumerate(rows, start=3)
    )
    table = read(write(tmp_path, text + "CCN,A,1,nM\nCCS,A,1,nM\n"), unit_column="unit")
    values = [
        (5, "="),
        (6, "="),
        (7000, "="),
        (8000, "="),
        (9000, "="),
        (2, "<"),
        (3000, ">"),
        (1, "="),
        (1, "="),
    ]
    assert [cell[2:] for cell in cells(table)] == values
    assert (table.left_out, table.tasks["unit"].tolist()) == ({}, ["nM"])


@pytest.mark.parametrize("cell", ["9e999999", "1e400", "inf", "1_0"])
def test_a_number_without_end_in_another_unit_is_a_bad_cell(tmp_path, cell):
    text = f"smiles,assay,value,unit\nCCCO,A,5,nM\nCCCN,A,6,nM\nCCCS,A,{cell},uM\n"
    with pytest.raises(RelataskError, match=f"line 4, column 'value': '{cell}'"):
        read(write(tmp_path, text), unit_column="unit")


def test_p_values_of_concentrations_turn_bounds_round_and_other_units_are_rejected(tmp_path):
    table = read(write(tmp_path, CHEMBL.replace('"45"', '"-45"')), **CHEMBL_KEYS, p_values=True)
    assert cells(table) == [
        (0, "CHEMBL203", pytest.approx(8.1397, abs=1e-4), "="),
        (1, "CHEMBL203", pytest.approx(5), "<"),
        (2, "CHEMBL203", pytest.approx(8.3468, abs=1e-4), ">"),
        (5, "CHEMBL204", pytest.approx(7.0969, abs=1e-4), "="),
        (6, "CHEMBL204", pytest.approx(7.0915, abs=1e-4), "="),
    ]
    assert table.tasks["unit"].tolist() == ["-log10(mol/L)"] * 2
    assert table.tasks["transform"].tolist() == ["-log10(mol/L) of nM"] * 2
    assert table.left_out == {
        3: "the unit %, which is no concentration",
        4: "no unit, which is no concentration",
    }
    path = write(tmp_path, "smiles,assay,value,unit\nCCCO,A,5,%\n")
    with pytest.raises(RelataskError, match=r"no row has a unit of concentration .*; remove p_values"):
        read(path, unit_column="unit", p_values=True)
    with pytest.raises(RelataskError, match=r"name the column of the units .* in `unit_column`"):
        block(tmp_path, p_values=True)


def test_an_active_rule_makes_labels(tmp_path):
    text = "smiles,assay,value\nCCCO,A,5\nCCCN,A,7\nCCCO,B,6\n"
    own = block(write(tmp_path, text), active={"at_least": 6})
    tables = load_file(own.record).prepare(own, SourceContext("mine"))
    assert tables.tasks["kind"].tolist() == ["binary", "binary"]
    labels = zip(tables.labels["item_id"], tables.labels["task_id"], tables.labels["value"], strict=True)
    assert list(labels) == [(0, "A", 0.0), (0, "B", 1.0), (1, "A", 1.0)]


def test_classes_are_those_of_each_task(tmp_path):
    text = "smiles,assay,value\nC,A,low\nCC,A,high\nC,B,red\nCC,B,2\n"
    table = read(write(tmp_path, text), values="class")
    assert table.classes == {"A": ["high", "low"], "B": ["2", "red"]}
    assert cells(table) == [(0, "A", 1, "="), (1, "A", 0, "="), (2, "B", 1, "="), (3, "B", 0, "=")]


def test_several_files_of_any_kind_share_units_and_tasks(tmp_path):
    first = write(tmp_path, "smiles;assay;value;unit\nCCCO;A;7,5;µM\nCCCN;B;1;µM\n", "a.csv", "latin-1")
    second = tmp_path / "b.xlsx"
    write_workbook(
        second, {"D": [["SMILES", "assay", "value", "unit"], ["CCCN", "A", 250, "nM"], ["CC", None, 1]]}
    )
    table = read([str(first), str(second)], unit_column="unit")
    assert cells(table) == [(0, "A", 7.5, "="), (1, "B", 1.0, "="), (2, "A", 0.25, "=")]
    assert table.tasks["unit"].tolist() == ["uM", "uM"]
    assert table.left_out == {3: "no task"}
    assert table.files == [(str(first), 2), (str(second), 2)]


@pytest.mark.parametrize(
    ("text", "keys", "said"),
    [
        ("smiles,assay,value\nC,A,n.q.\n", {}, r"line 2, column 'value': 'n.q.'"),
        (
            "smiles,assay,value,rel\nC,A,5,about\n",
            {"relation_column": "rel"},
            r"line 2, column 'value': 'about5'",
        ),
        ("smiles,assay,value\nC,,5\n", {}, r"no row names a task in the column 'assay'"),
        ("smiles,assay,value\n", {}, r"has a header but no rows"),
        ("smiles,assay,value\nC,A,5\n", {"unit_column": "value"}, r"'value' is named by two keys"),
        ("smiles,assay,value\nC,A,5\n", {"unit_column": "units"}, r"no column 'units' \(unit_column\)"),
        (
            "smiles,assay,value\nC,A,5\n",
            {"values": "class", "unit_column": "u"},
            r"classes have neither bounds",
        ),
        (
            "smiles,assay,value\nC,A,5\n",
            {"values": "real", "active": {"at_least": 1}},
            r"active: it makes labels",
        ),
    ],
)
def test_each_mistake_is_one_sentence(tmp_path, text, keys, said):
    with pytest.raises(RelataskError, match=said):
        read(write(tmp_path, text), **keys)
