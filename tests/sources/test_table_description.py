"""What an unknown table holds, found without a study."""

import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.data.splits._fold_words import KNOWN
from relatask.sources.label_cells import NOT_MEASURED, VOCABULARIES
from relatask.sources.molecules import read_source
from relatask.sources.table_description import LongFormat, describe_table
from tests.helpers.data_tables import source_of
from tests.helpers.workbooks import write_sdf, write_workbook

MOLECULES = ["CCCO", "CCCN", "c1ccccc1", "CC(=O)O", "CCCl", "CCBr", "CCF", "CCOC", "CNC"]


def described(folder, name="x.csv", molecules=MOLECULES, smiles="smiles", **columns):
    path = folder / name
    frame = pd.DataFrame({smiles: molecules, **columns})
    if name.endswith(".csv"):
        frame.to_csv(path, index=False)
    elif name.endswith(".parquet"):
        frame.to_parquet(path)
    else:
        rows = [[None if cell != cell else cell for cell in row] for row in frame.to_numpy(object).tolist()]
        write_workbook(path, {"Data": [list(frame), *rows]})
    return describe_table(path)


def test_each_column_has_a_role_and_a_reason(tmp_path):
    found = described(
        tmp_path,
        compound_id=[f"M{n}" for n in range(9)],
        split=["train"] * 6 + ["valid", "test", "test"],
        date=[f"2020-0{n}-11" for n in range(1, 10)],
        hit=[0, 1, None, 0, 1, 0, 0, 1, 1],
        toxic=["active", "Inactive", None, "active", "n.d.", "active", "active", "active", "active"],
        **{"IC50 (µM)": [">10", 0.5, "<4", "~5.5", 1e-3, None, "-", 7, "45%"]},
        colour=["red", "blue", "red"] * 3,
        note=[f"a long story {n}" for n in range(9)],
        row=range(1, 10),
        MW=[60.1 + n for n in range(9)],
        always=[1.5] * 9,
        nothing=[None] * 9,
    )
    assert (found.smiles_column, found.id_column) == ("smiles", "compound_id")
    assert (found.split_column, found.date_column, found.long) == ("split", "date", None)
    assert found.tasks == {"hit": "binary", "toxic": "binary", "IC50 (µM)": "real", "colour": "class"}
    said = {one.name: one.said for one in found.columns}
    assert said["hit"] == "labels of 0 and 1"
    assert said["toxic"] == "the words active and inactive"
    assert said["IC50 (µM)"] == "measured values, 2 of them bounds; 1 are no number, e.g. '45%'"
    assert said["colour"] == "2 classes: blue, red"
    assert next(one.unit for one in found.columns if one.name == "IC50 (µM)") == "µM"
    assert found.left_out == {
        "note": "text, e.g. 'a long story 0'",
        "row": "it numbers the rows",
        "MW": "a property of the structure and no measurement",
        "always": "all its cells are '1.5'",
        "nothing": "empty",
    }
    assert found.n_rows == 9
    assert found.n_labels == 8 + 7 + 7 + 9
    assert found.container == "delimited"
    assert found.facts["separator"] == ","


def test_classes_are_those_that_are_read(tmp_path):
    """A class may be called inconclusive, and High is another one than high: whoever looks must be told."""
    cells = ["high", "low", "inconclusive", "High", "low", "high", None, "low", "low"]
    found = described(tmp_path, solubility=cells)
    assert found.columns[1].said == "4 classes: High, high, inconclusive, low"
    block = source_of(reader="table", path=str(tmp_path / "x.csv"), values="class")
    assert read_source(block, "mine").classes == {"solubility": ["High", "high", "inconclusive", "low"]}


def test_words_are_those_that_the_readers_know(tmp_path):
    """A column that is described otherwise than it is read makes a study that learns other labels."""
    missing = sorted(word for word in NOT_MEASURED if word)
    columns = {
        f"task {number}": pd.Series([*(ones + zeros) * 9][:9])
        for number, (ones, zeros) in enumerate(VOCABULARIES)
    }
    found = described(tmp_path, **columns, folds=[*KNOWN][:9])
    assert set(found.tasks.values()) == {"binary"}
    assert found.split_column == "folds"
    numbers = described(tmp_path, "a.parquet", MOLECULES[:1] * len(missing), value=missing)
    assert numbers.left_out == {"value": "empty"}


@pytest.mark.parametrize("smiles", ["SMILES", "Structure", "molecule", "what is this"])
def test_the_column_of_smiles_is_found_by_name_or_by_content(tmp_path, smiles):
    numbers = [f"N{n}" for n in range(9)]
    assert described(tmp_path, smiles=smiles, code=numbers, A=[0, 1, 0] * 3).smiles_column == smiles


def test_a_name_does_not_make_smiles_of_other_texts(tmp_path):
    found = described(
        tmp_path, smiles="canonical", molecule=[f"Aspirin {n}" for n in range(9)], A=[0, 1, 1] * 3
    )
    assert (found.smiles_column, found.id_column) == ("canonical", "molecule")
    assert (
        describe_table(write_sdf(tmp_path / "x.sdf", [{"smiles": "CCO", "A": 1}])).smiles_column == "smiles"
    )


def test_a_german_table_has_numbers(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        "smiles;A;B\n" + "".join(f"{smiles};7,{n}5;1,23{n}\n" for n, smiles in enumerate(MOLECULES))
    )
    found = describe_table(path)
    assert found.tasks == {"A": "real", "B": "real"}
    assert found.facts == {"encoding": "utf-8-sig", "separator": ";", "decimal": ","}


def test_a_row_for_each_measurement_is_recognised(tmp_path):
    measured = {
        "Assay": ["hERG", "Nav", "hERG"] * 3,
        "relation": ["=", ">", "'<'"] * 3,
        "Units": ["nM", "µM", "nM"] * 3,
        "Result": [7.5, 5.1, 3.3, 2.5, 9.1, 8.3, 7.1, 1.1, 6.0],
    }
    found = described(tmp_path, molecules=["CCCO", "CCCN", "CCCC"] * 3, name="x.xlsx", **measured)
    assert found.long == LongFormat("Assay", "Result", "relation", "Units")
    assert found.tasks == {}
    assert found.container == "workbook"
    wide = described(tmp_path, A=measured["Result"], B=measured["Result"][::-1], Assay=measured["Assay"])
    assert wide.long is None


def test_a_sparse_column_is_found_far_down(tmp_path):
    path = tmp_path / "x.csv"
    lines = [f"CC{'C' * (n % 9)}O,,{n % 2}\n" for n in range(60_000)]
    lines[55_555], lines[55_556] = "CCN,7.5,1\n", "CCN,>8,1\n"
    path.write_text("smiles,rare,often\n" + "".join(lines))
    found = describe_table(path)
    assert found.tasks == {"rare": "real", "often": "binary"}
    assert (found.n_rows, found.n_labels) == (60_000, 60_002)


@pytest.mark.parametrize(
    "text",
    [
        "smiles\n",
        "a\n1\n",
        "x,y\n\x00,\ud7ff\n",
        "smiles,A\n" + "C" * 5000 + ",1\n",
        'smiles,A\n"a\nb",1e999\n',
    ],
)
def test_ugly_cells_raise_nothing(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_text(text)
    found = describe_table(path)
    assert set(found.tasks) | set(found.left_out) <= {one.name for one in found.columns}


def test_a_file_that_is_none_is_named(tmp_path):
    with pytest.raises(RelataskError, match="there is no file"):
        describe_table(tmp_path / "absent.csv")


def test_real_tables_are_described(mirror):
    tox21 = describe_table(mirror / "moleculenet" / "tox21.csv")
    assert (tox21.smiles_column, tox21.n_rows, tox21.n_labels) == ("smiles", 7831, 77946)
    assert set(tox21.tasks.values()) == {"binary"}
    kinases = describe_table(mirror / "kinase200" / "kinase200.csv.gz")
    assert (kinases.smiles_column, kinases.id_column) == ("SMILES", "InChIKey")
    assert kinases.split_column == "subset_cluster_DGBC"
    assert (len(kinases.tasks), kinases.n_rows, kinases.n_labels) == (198, 82983, 216858)


def test_ids_are_known_by_german_names_too(tmp_path):
    found = described(tmp_path, Verbindung=[f"V-{n}" for n in range(9)], hit=[0, 1, None, 0, 1, 0, 0, 1, 1])
    assert (found.id_column, found.left_out) == ("Verbindung", {})
