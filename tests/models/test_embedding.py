"""A model that reads a user's own embedding is asked with vectors, in a table or from a file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import relatask
from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.core.tables import read_table, write_table
from relatask.inputs.arrays import write_features
from tests.helpers.data_tables import write_records
from tests.helpers.prepared_dataset import make_spec
from tests.models.molecule_data import train, write_molecules

ALONE = make_spec("shared_bottom", "mlp")
BESIDE = make_spec("shared_bottom", "mlp", inputs=("ecfp", "vectors"))
FOREST = make_spec("random_forest", None, inputs=("vectors",))
HOW = {"neutralise": True, "fragments": "parent"}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of molecules with vectors of four numbers."""
    folder = tmp_path_factory.mktemp("embedding") / "results" / "small"
    write_molecules(folder)
    items = read_table("items", folder / "items.parquet")
    vectors = np.random.default_rng(0).normal(size=(len(items), 4)).astype(np.float32)
    items["vector"] = pd.Series(list(vectors), dtype=object)
    write_table("items", items, folder / "items.parquet")
    described = read_json(folder / "dataset.json")
    write_json(folder / "dataset.json", {**described, "source": {"standardisation": {"standardised": HOW}}})
    write_records(folder)
    write_features([items], ["ecfp", "vectors"], folder / "features")
    return train(folder.parent, [ALONE, BESIDE, FOREST])


@pytest.mark.parametrize("spec", [ALONE, BESIDE, FOREST], ids=["alone", "beside", "forest"])
def test_a_file_of_vectors_beside_smiles_says_what_a_table_of_vectors_says(
    spec, study, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    model = relatask.load(study / "runs" / spec.run_id)
    vectors = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    table = pd.DataFrame({"smiles": ["CCO", "CCN", "c1ccccc1"], "vector": list(vectors)})
    wanted = model.predict(table)
    assert wanted["reason"].isna().all()
    asked = ["OCC", "CCCC", "bad", "C[NH3+].[Cl-]", "CC[NH3+].[Cl-]"]
    pd.DataFrame({"smiles": asked}).to_csv("new.csv", index=False)
    table.rename(columns={"vector": "mine"}).to_parquet("vectors.parquet")
    command = ["predict", str(study / "runs" / spec.run_id), "new.csv", "-o", "out.csv"]
    assert main([*command, "--embedding", "vectors.parquet"]) == 0
    found = pd.read_csv("out.csv")
    np.testing.assert_allclose(
        found.loc[[0, 4], model.task_ids], wanted.loc[[0, 1], model.task_ids], rtol=1e-5, atol=1e-6
    )
    assert found["reason"].fillna("").tolist()[::4] == ["", ""]
    assert found.loc[[1, 3], "reason"].tolist() == ["no embedding", "no embedding"]
    assert found.loc[2, "reason"]
    assert found.loc[[1, 2, 3], model.task_ids].isna().all(axis=None)


def test_what_is_missing_or_of_no_use_is_said_in_one_sentence(study, tmp_path, capsys):
    model = relatask.load(study / "runs" / BESIDE.run_id)
    with pytest.raises(
        RelataskError, match=r"reads vectors that .*; give a table of the items with the column `vector`"
    ):
        model.predict(["CCO"])
    with pytest.raises(RelataskError, match="reads vectors of 4 numbers and these have 2"):
        model.predict(pd.DataFrame({"smiles": ["CCO"], "vector": [[1.0, 2.0]]}))
    asked = tmp_path / "new.csv"
    asked.write_text("smiles\nCCO\n")
    command = ["predict", str(study / "runs" / BESIDE.run_id), str(asked), "-o", str(tmp_path / "out.csv")]
    assert main(command) == 2
    assert "give a table of SMILES and vectors (--embedding)" in capsys.readouterr().err
