"""Descriptors and counts of molecules, on a scale of the training molecules, alone and beside each other."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import Descriptors

from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.inputs import descriptors
from relatask.inputs.arrays import load_input, write_features
from relatask.inputs.descriptor_table import Descriptors as Table
from relatask.journal.digests import data_of_run

SMILES = ["CCO", "c1ccccc1O", "CCCCCCCC", "CC(=O)Nc1ccc(O)cc1", "ClC(Cl)Cl", "C[Hg]C", "N#N", "OCC(O)CO"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    items = pd.DataFrame({"item_id": range(len(SMILES)), "smiles": SMILES})
    write_features([items[:5], items[5:]], ["ecfp", "ecfp_counts", "descriptors"], folder)
    return folder


def test_descriptors_are_rdkits_and_cells_that_are_no_numbers_are_counted(folder, monkeypatch):
    raw, names = np.load(folder / "descriptors.npy"), [name for name, _ in Descriptors.descList]
    place = names.index("MolLogP")
    wanted = [Descriptors.MolLogP(Chem.MolFromSmiles(text)) for text in SMILES]
    np.testing.assert_allclose(raw[:, place], wanted, rtol=1e-6)
    record = read_json(folder / "features.json")
    assert record["descriptor_names"] == names
    assert record["descriptors_undefined"] == int(np.isnan(raw).sum()) > 0  # partial charges of mercury
    hostile = [("a", lambda _: np.inf), ("b", lambda _: -1e300), ("c", lambda _: 1 / 0), ("d", lambda _: 2.5)]
    monkeypatch.setattr(Descriptors, "descList", hostile)
    monkeypatch.setattr(Descriptors, "_descList", hostile)
    found = descriptors.featurise(pd.DataFrame({"item_id": [0], "smiles": ["C"]}))
    np.testing.assert_array_equal(found["descriptors"], np.array([[np.nan, -1e30, np.nan, 2.5]], np.float32))
    assert (found["descriptors_undefined"], found["descriptors_huge"]) == (2, 1)


def test_the_scale_is_the_share_of_training_molecules_below_and_no_other_molecule_moves_it():
    raw = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0], [3.0, np.nan], [1e30, 4.0], [-7.0, 6.0]], np.float32)
    table, rows = Table(raw, ("a", "b"), "1"), torch.tensor([0, 1, 2])
    values = table.fitted(rows).batch(torch.arange(6))
    assert values[:, 0].tolist() == [0.0, 0.5, 1.0, 0.75, 1.0, 0.0]
    assert values[3, 1] == 0.5  # undefined
    assert values[4, 1] < values[5, 1]
    changed = raw.copy()
    changed[3:] = 99
    assert torch.equal(Table(changed, ("a", "b"), "1").fitted(rows).batch(rows), values[:3])


def test_what_was_learned_reads_other_molecules_alike_and_other_descriptors_are_refused(folder):
    both = load_input(folder, "ecfp+descriptors").fitted(torch.tensor([0, 1, 2, 4, 5]))
    every = torch.arange(len(SMILES))
    x = both.batch(every)
    assert x.shape == (len(SMILES), both.n_columns)
    assert torch.equal(x[:, :2048], load_input(folder, "ecfp").batch(every))
    assert x.isfinite().all()
    assert x.min() == 0
    assert x.max() == 1
    learned = json.loads(json.dumps(both.learned))
    assert torch.equal(load_input(folder, "ecfp+descriptors").with_learned(learned).batch(every), x)
    alone = load_input(folder, "descriptors").with_learned(learned["descriptors"])
    assert torch.equal(alone.batch(every), x[:, 2048:])
    learned["descriptors"] |= {"names": ["MolWt"], "rdkit": "2020.1"}
    with pytest.raises(RelataskError, match=r"those of RDKit .* are others; install rdkit==2020.1, or train"):
        both.with_learned(learned)


def test_counts_say_how_often_what_a_bit_says_occurs(folder):
    every = torch.arange(len(SMILES))
    counts, bits = (load_input(folder, form).batch(every) for form in ("ecfp_counts", "ecfp"))
    assert torch.equal((counts > 0).float(), bits)
    assert counts.dtype == torch.float32
    assert counts[2].sort(descending=True).values[:2].tolist() == [
        6.0,
        4.0,
    ]  # CH2 of octane, and those amid CH2


def test_an_input_that_another_row_asks_for_is_no_reason_to_train_a_run_again(tmp_path):
    items = pd.DataFrame({"item_id": [0, 1], "smiles": SMILES[:2]})
    for name, inputs in (("before", ["ecfp"]), ("after", ["ecfp", "ecfp_counts"])):
        write_features([items], inputs, tmp_path / name / "features")
        write_json(tmp_path / name / "dataset.json", {"digest": "d"})
        write_json(tmp_path / name / "splits" / "random-0.json", {"digest": "s"})
    own, more = (data_of_run(tmp_path / name, "random-0", ("ecfp",)) for name in ("before", "after"))
    assert own == more
    assert data_of_run(tmp_path / "after", "random-0", ("ecfp_counts",)) != own
    write_features([items.assign(smiles=SMILES[2:4])], ["ecfp"], tmp_path / "before" / "features")
    assert data_of_run(tmp_path / "before", "random-0", ("ecfp",)) != own
