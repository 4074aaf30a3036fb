"""Features of molecules, against an independent loop over atoms and bonds."""

import json

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.tables import write_table
from relatask.inputs import arrays as input_arrays
from relatask.inputs import ecfp, ecfp_counts
from relatask.inputs.arrays import write_features
from relatask.inputs.features import UNKNOWN_ATOM
from tests.helpers.data_tables import items_table

INPUTS = ("graph", "ecfp")
ARRAYS = {
    "atoms": "uint8",
    "atom_offsets": "int64",
    "bond_index": "int32",
    "bonds": "uint8",
    "bond_offsets": "int64",
    "ecfp4": "uint8",
}
CHIRAL = [Chem.ChiralType.CHI_UNSPECIFIED, Chem.ChiralType.CHI_TETRAHEDRAL_CW]
CHIRAL += [Chem.ChiralType.CHI_TETRAHEDRAL_CCW, Chem.ChiralType.CHI_OTHER]
BONDS = [Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC]
DIRECTIONS = [Chem.BondDir.NONE, Chem.BondDir.ENDUPRIGHT, Chem.BondDir.ENDDOWNRIGHT]

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)O",
    "C/C=C/C#N",
    r"C/C(Cl)=C(/F)\C=C\c1ccccc1",
    "[Na+]",  # one atom, no bond
    "[2H]C([2H])([2H])O",
    "C1CC2(C1)CC2.O",
    "c1ccc2[nH]ccc2c1",
    "[U]",
]


def chunks(smiles, size):
    items = items_table(range(len(smiles)), smiles=list(smiles))
    return (items.iloc[start : start + size] for start in range(0, len(items), size))


@pytest.fixture
def load(tmp_path):
    def write_and_load(smiles):
        record = write_features(chunks(smiles, input_arrays.CHUNK), INPUTS, tmp_path)
        arrays = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
        return record, arrays

    return write_and_load


def oracle(smiles):
    """Hu et al. (2019): lists of indices in their vocabularies; bonds as a dictionary of directed pairs."""
    molecule = Chem.MolFromSmiles(smiles)
    atoms = [
        (list(range(1, 119)).index(atom.GetAtomicNum()), CHIRAL.index(atom.GetChiralTag()))
        for atom in molecule.GetAtoms()
    ]
    bonds = {}
    for bond in molecule.GetBonds():
        entry = (BONDS.index(bond.GetBondType()), DIRECTIONS.index(bond.GetBondDir()))
        bonds[bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()] = entry
        bonds[bond.GetEndAtomIdx(), bond.GetBeginAtomIdx()] = entry
    bits = AllChem.GetMorganFingerprintAsBitVect(molecule, 2, 2048)
    return atoms, bonds, list(bits.GetOnBits())


def check(arrays, smiles):
    for row, text in enumerate(smiles):
        atoms, bonds, bits = oracle(text)
        span = slice(*arrays["atom_offsets"][row : row + 2])
        assert [tuple(atom) for atom in arrays["atoms"][span].tolist()] == atoms, text
        span = slice(*arrays["bond_offsets"][row : row + 2])
        pairs = [tuple(pair) for pair in arrays["bond_index"][span].tolist()]
        entries = [tuple(entry) for entry in arrays["bonds"][span].tolist()]
        assert len(set(pairs)) == len(pairs), text
        assert dict(zip(pairs, entries, strict=True)) == bonds, text
        assert pairs[1::2] == [(j, i) for i, j in pairs[::2]], text  # both directions one after the other
        assert np.flatnonzero(np.unpackbits(arrays["ecfp4"][row])).tolist() == bits, text


def test_features_agree_with_a_loop_over_atoms_and_bonds(load):
    record, arrays = load(SMILES)
    check(arrays, SMILES)
    assert {name: array.dtype.name for name, array in arrays.items()} == ARRAYS
    assert record["items"] == len(SMILES) == len(arrays["ecfp4"])
    assert len(arrays["atoms"]) == arrays["atom_offsets"][-1]
    assert record["directed_bonds"] == len(arrays["bonds"]) == arrays["bond_offsets"][-1]
    assert arrays["bonds"][:, 1].max() == 2  # both directions of double bonds occur in these molecules


def test_real_molecules_agree_with_the_loop_across_chunks(load, mirror, monkeypatch):
    monkeypatch.setattr(input_arrays, "CHUNK", 100)
    smiles = pd.read_csv(mirror / "moleculenet" / "sider.csv").smiles[:450]
    smiles = [Chem.MolToSmiles(Chem.MolFromSmiles(text)) for text in smiles]
    smiles = [text for text in smiles if "->" not in text and "<-" not in text]
    _, arrays = load(smiles)
    assert len(smiles) > 440
    check(arrays, smiles)


HARD = [
    r"[H]/N=C(\N)c1ccccc1",
    "c1cc[cH-]c1.[Fe+2]",
    "O=c1cc[nH]c2ccccc12",
    "[O-][n+]1ccccc1",
    "[2H]C1=CC=CC=C1",
]


def check_without_sanitising(smiles):
    molecules = [Chem.MolFromSmiles(text) for text in smiles]
    written = [Chem.MolToSmiles(molecule) for molecule in molecules if molecule is not None]
    items = items_table(range(len(written)), smiles=written)
    for input_of in (ecfp, ecfp_counts):
        (plain,) = input_of.featurise(items).values()
        (quick,) = input_of.featurise(items.assign(canonical=True)).values()
        np.testing.assert_array_equal(plain, quick)
    return len(written)


def test_smiles_that_rdkit_wrote_give_the_same_fingerprints_without_sanitising():
    assert check_without_sanitising(HARD) == len(HARD)


def test_real_molecules_give_the_same_fingerprints_without_sanitising(mirror):
    smiles = pd.read_csv(mirror / "moleculenet" / "toxcast.csv.gz").smiles[::8]  # metals and dyes among them
    assert check_without_sanitising(smiles) > 1000


def test_kekule_smiles_are_parsed_in_full_unless_rdkit_wrote_them():
    items = items_table(range(2), smiles=["C1=CC=CC=C1", "c1ccccc1"])
    bits = ecfp.featurise(items)["ecfp4"]
    np.testing.assert_array_equal(bits[0], bits[1])


def test_aspirin_has_the_features_that_one_counts_by_hand(load):
    _, arrays = load(["CC(=O)Oc1ccccc1C(=O)O"])
    assert arrays["atoms"][:, 0].tolist() == [5, 5, 7, 7, 5, 5, 5, 5, 5, 5, 5, 7, 7]  # C = 6 - 1, O = 8 - 1
    assert np.bincount(arrays["bonds"][:, 0]).tolist() == [10, 4, 0, 12]  # 5 single, 2 double, 6 aromatic
    assert arrays["bond_index"][:2].tolist() == [[0, 1], [1, 0]]


def test_molecules_without_bonds_take_no_place_in_the_bond_arrays(load):
    _, arrays = load(["[Na+]", "CO", "[Cl-]"])
    assert arrays["bond_offsets"].tolist() == [0, 0, 2, 2]
    assert arrays["atom_offsets"].tolist() == [0, 1, 3, 4]
    _, arrays = load(["[Na+]"])
    assert arrays["bond_index"].shape == (0, 2)


def test_what_the_vocabulary_lacks_is_mapped_and_counted(load):
    record, arrays = load(["*CC", "N->[Pt](Cl)Cl", "C[Pt@SP1](F)(Cl)Br"])
    assert record["unknown_atoms"] == 1
    assert record["other_bonds"] == 1
    assert arrays["atoms"][0].tolist() == [UNKNOWN_ATOM, 0]
    assert arrays["bonds"][:, 0].max() == 0  # the dative bond stands as a single one
    assert arrays["atoms"][arrays["atoms"][:, 0] == 77, 1].tolist() == [0, 3]  # square planar: "other"


def test_a_smiles_that_rdkit_cannot_read_is_named_and_leaves_no_file(tmp_path):
    with pytest.raises(RelataskError, match=r"item 1 of the items table: RDKit .*'xx'"):
        write_features(chunks(["CCO", "xx"], 10), INPUTS, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))


def test_the_step_writes_the_same_bytes_in_chunks_of_any_size(tmp_path, monkeypatch):
    write_table("items", items_table(range(len(SMILES)), smiles=SMILES), tmp_path / "m.parquet")
    for folder, chunk in (("one", 1000), ("two", 2)):
        monkeypatch.setattr(input_arrays, "CHUNK", chunk)
        files = ["--items", str(tmp_path / "m.parquet"), "--inputs", *INPUTS]
        files += ["--out-dir", str(tmp_path / folder)]
        assert main(["featurise_items", *files]) == 0
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / f).iterdir()} for f in ("one", "two"))
    assert one == two
    assert set(one) == {f"{name}.npy" for name in ARRAYS} | {"features.json"}
    record = json.loads(one["features.json"])
    assert record["vocabulary"] == {
        "atomic_number": 120,
        "chirality": 4,
        "bond_type": 6,
        "bond_direction": 3,
    }
    assert len(record["digest"]) == 64
