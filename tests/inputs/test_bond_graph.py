"""Graphs with chemprop's features: as worked out by hand, and damaged ones are refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.core.files import read_json, sha256_of, write_json
from relatask.inputs.arrays import load_input, write_features


def write(folder: Path, *smiles: str) -> None:
    items = pd.DataFrame({"item_id": range(len(smiles)), "smiles": smiles})
    write_features([items], ["bond_graph"], folder)


def test_atoms_and_bonds_have_the_bits_that_chemprop_gives_them(tmp_path):
    write(tmp_path, "C", "O=CI", "[U]")
    x = load_input(tmp_path, "bond_graph").batch(torch.tensor([1, 2]))
    assert len(x) == 2
    bits = [row.nonzero()[:, 0].tolist()[:-1] for row in x.V]  # the last is the mass
    starts = np.cumsum(
        [0, 38, 7, 6, 5, 6]
    ).tolist()  # element, degree, charge, chirality, hydrogens, hybridization
    sp2, sp3, other = 2, 4, 7  # places among S, SP, SP2, SP2D, SP3, ...
    oxygen, carbon, iodine, uranium = (
        [start + place for start, place in zip(starts, places, strict=True)]
        for places in (
            (7, 1, 4, 0, 0, sp2),
            (5, 3, 4, 0, 1, sp2),
            (36, 1, 4, 0, 0, sp3),
            (37, 0, 4, 0, 0, other),
        )
    )
    uranium[-1] = bits[3][-1]  # RDKit's hybridization of a lone atom is no matter here
    assert bits == [oxygen, carbon, iodine, uranium]
    torch.testing.assert_close(
        x.V[:, -1], torch.tensor([0.15999, 0.12011, 1.26904, 2.38029]), rtol=0, atol=1e-5
    )
    assert x.edge_index.tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert x.rev_edge_index.tolist() == [1, 0, 3, 2]
    assert [row.nonzero()[:, 0].tolist() for row in x.E] == [[2, 7], [2, 7], [1, 7], [1, 7]]
    assert x.batch.tolist() == [0, 0, 0, 1]
    assert load_input(tmp_path, "bond_graph").batch(torch.tensor([0, 0])).E.shape == (0, 14)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("atoms", lambda array: array + 200),
        ("bonds", lambda array: array + 200),
        ("index", lambda array: array + 3),
        ("atom_offsets", lambda array: array[:-1]),
        ("masses", lambda array: array[:-1]),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(name, change, tmp_path):
    write(tmp_path, "CO", "CC=O")
    path = tmp_path / f"bond_graph_{name}.npy"
    np.save(path, change(np.load(path)))
    record = read_json(tmp_path / "features.json")
    record["files"][path.name] = sha256_of(path)
    write_json(tmp_path / "features.json", record)
    with pytest.raises(RelataskError, match=r"bond_graph_\*.npy do not fit together; delete the folder"):
        load_input(tmp_path, "bond_graph")
