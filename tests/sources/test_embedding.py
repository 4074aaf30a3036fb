"""A user's own vectors of molecules are found by molecule or id, and who has none is rejected by name."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.data.source_tables import SourceContext, SourceTables
from tests.helpers.data_tables import source_of

MOLECULES = ["CCCO", "c1ccccc1O", "CC(=O)[O-].[Na+]", "CCCCN", "not a SMILES"]
VECTORS = np.arange(15, dtype=np.float64).reshape(5, 3)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame(
        {"name": [f"m{row}" for row in range(5)], "smiles": MOLECULES, "assay": [0, 1, 0, 1, 0]}
    )
    table.to_csv("assays.csv", index=False)
    return tmp_path


def prepared(**embedding: object) -> SourceTables:
    keys = {"reader": "table", "path": "assays.csv", "id_column": "name", "task_columns": ["assay"]}
    source = source_of(**keys, embedding=embedding)
    assert source.inputs == ("graph", "ecfp", "vectors")
    assert source.own_files()["embedding.path"] == embedding["path"]
    return load_file(source.record).prepare(source, SourceContext("mine"))


def found(tables: SourceTables) -> dict[str, list[float]]:
    return dict(zip(tables.items["source_id"], map(list, tables.items["vector"]), strict=True))


def test_vectors_are_found_by_the_molecule_however_it_is_written_and_who_has_none_is_rejected(folder, caplog):
    caplog.set_level("INFO")
    smiles = [
        "OCCC",
        "Oc1ccccc1",
        "CC(=O)O",
        "c1ccccc1O",
        None,
    ]  # another order, a salt, one twice, one missing
    lists = pd.DataFrame({"smiles": smiles, "note": "x", "numbers": list(VECTORS)})
    lists.to_parquet("lists.parquet")
    tables = prepared(path="lists.parquet")
    assert found(tables) == {"m0": [0.0, 1.0, 2.0], "m1": [3.0, 4.0, 5.0], "m2": [6.0, 7.0, 8.0]}
    assert tables.items["vector"].iloc[0].dtype == np.float32
    rejected = dict(zip(tables.rejected["source_id"], tables.rejected["reason"], strict=True))
    assert rejected["m3"] == "no embedding"
    assert rejected["m4"].startswith("not a valid SMILES")
    assert tables.counts["embedding"] == {"rows": 5, "width": 3, "unusable": 1, "repeated": 1, "differing": 1}
    assert (
        "1 rows name no molecule, 1 one of a row above (of 1 with other numbers the first counts)"
        in caplog.text
    )
    assert "'note' is no part of the vectors" in caplog.text


def test_vectors_stand_in_columns_of_numbers_too_and_are_found_by_ids(folder):
    table = pd.DataFrame(VECTORS[:3], columns=["a", "b", "c"])
    table.insert(0, "id", ["m2", "m0", "other"])
    table.to_csv("columns.csv", index=False)
    wanted = {"m0": [3.0, 4.0, 5.0], "m2": [0.0, 1.0, 2.0]}
    assert found(prepared(path="columns.csv", id_column="id")) == wanted
    by_name = prepared(path="columns.csv", id_column="id", columns=["c", "a"])
    assert found(by_name) == {"m0": [5.0, 3.0], "m2": [2.0, 0.0]}
    lists = [[1.0], None, [2.0]]  # a list that is missing is no vector
    pd.DataFrame({"id": ["m0", "m1", "m2"], "v": lists}).to_parquet("gaps.parquet")
    assert found(prepared(path="gaps.parquet", id_column="id")) == {"m0": [1.0], "m2": [2.0]}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"v": [[1.0, 2.0], [1.0]]}, r"data row 2: its list has 1 numbers and others have 2; give all one"),
        ({"v": [[1.0], [np.nan]]}, r"data row 2: its list holds what is no finite number of 32 bits"),
        ({"v": [["a"], ["b"]]}, "the lists hold .*string and no numbers"),
        (
            {"v": [[1.0], [2.0]], "w": [[1.0], [2.0]]},
            r"has the columns of lists 'v', 'w'; name one \(columns\)",
        ),
        ({"a": [1.0, np.inf]}, "data row 2, column 'a': inf is no finite number of 32 bits"),
        ({"a": [1.0, None]}, "data row 2, column 'a': "),
        ({}, "holds no vectors beside 'smiles'"),
    ],
)
def test_vectors_that_no_network_could_read_are_named(columns, said, folder):
    pd.DataFrame({"smiles": ["CCCO", "CCN"], **columns}).to_parquet("bad.parquet")
    with pytest.raises(RelataskError, match=said):
        prepared(path="bad.parquet")


def test_keys_that_do_not_belong_together_are_refused(folder):
    with pytest.raises(RelataskError, match="matched by ids or by SMILES; remove id_column or smiles_column"):
        prepared(path="x.parquet", id_column="id", smiles_column="s")
    with pytest.raises(
        RelataskError, match="atoms and pairs of atoms have no embedding; use the reader table"
    ):
        source_of(reader="molecule_parts", path="assays.csv", embedding={"path": "x.parquet"})
