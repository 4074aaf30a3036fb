"""Tables of one row, one class or no label at all: each step makes whole files or says one sentence."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relatask.core.tables import read_table
from tests.fuzz.cases import cases, done_or_sentence

SMILES = [
    "CCCO",
    "CCCN",
    "c1ccccc1C",
    "c1ccccc1CC",
    "CC(=O)O",
    "CCCCl",
    "C1CCCCC1",
    "C1CCCCC1O",
    "CCCCC",
    "OCCO",
]
ROWS = st.lists(st.lists(st.sampled_from(["", "0", "1"]), min_size=3, max_size=3), max_size=10)


@cases(25)
@given(
    st.one_of(
        ROWS, *(ROWS.map(lambda rows, cell=cell: [[cell] * 3 for _ in rows]) for cell in ["", "0", "1"])
    ),
    st.sampled_from(["random", "scaffold", "stratified"]),
    st.sampled_from([None, {"tau": 1, "min_positives": 1, "min_negatives": 1}, {"tau": 2}]),
)
def test_each_step_ends_with_every_molecule_in_its_place_or_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], rows: list[list[str]], scheme: str, densify: dict | None
) -> None:
    table, source, dataset = folder / "mine.csv", folder / "source", folder / "dataset"
    lines = [",".join([smiles, *cells]) for smiles, cells in zip(SMILES, rows, strict=False)]
    table.write_text("\n".join(["smiles,A,B,C", *lines, ""]))
    block = json.dumps({"reader": "table", "path": str(table)})
    step = ["prepare_items", "--source-config", block, "--name", "mine", "--out-dir", str(source)]
    if not done_or_sentence(step, capsys, ("mine.csv",)):
        assert not rows
        return
    step = ["densify_dataset", "--source-dir", str(source), "--out-dir", str(dataset)]
    if not done_or_sentence([*step, "--densify-config", json.dumps(densify)], capsys, ("datasets.dataset",)):
        assert densify or not any({"0", "1"} <= {row[task] for row in rows} for task in range(3))
        return
    molecules = read_table("items", dataset / "items.parquet")
    assert len(molecules) + len(read_table("rejected", dataset / "rejected.parquet")) == len(rows)
    step = ["split_items", "--items", str(dataset / "items.parquet")]
    step += ["--labels", str(dataset / "labels.parquet"), "--scheme", scheme, "--seed", "0"]
    if done_or_sentence([*step, "--out", str(folder / "split.parquet")], capsys, ("items", "molecules")):
        folds = read_table("split", folder / "split.parquet")
        assert folds.item_id.tolist() == molecules.item_id.tolist()
        assert set(folds.fold) == {"train", "valid", "test"}
    step = ["featurise_items", "--items", str(dataset / "items.parquet"), "--inputs", "graph", "ecfp"]
    assert done_or_sentence([*step, "--out-dir", str(folder / "features")], capsys)
