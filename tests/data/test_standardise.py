"""Standardisation of molecules: SGNN-EBM, appendix A.1."""

import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold

from relatask.data.standardise import Limits, Molecule, Rejection, standardise, standardise_all

LIMITS = Limits()


def reason(smiles, limits=LIMITS):
    result = standardise(smiles, limits)
    assert isinstance(result, Rejection)
    return str(result)


@pytest.mark.parametrize("smiles", [None, "", "   "])
def test_a_row_without_smiles_is_rejected(smiles):
    assert reason(smiles) == "no SMILES"


@pytest.mark.parametrize(
    ("smiles", "said"),
    [
        ("C1CC", "not a valid SMILES: it cannot be parsed"),
        ("not a molecule", "not a valid SMILES: it cannot be parsed"),
        ("CN(C)(C)(C)C", "not a valid SMILES: Explicit valence for atom # 1 N, 5, is greater than permitted"),
        ("c1cccc1C", "not a valid SMILES: Can't kekulize mol"),
        ("CC", "fewer than 3 heavy atoms"),
        ("CCC", "lighter than 50 Da"),
        ("I" + "C(I)" * 7 + "I", "heavier than 900 Da"),
        ("BrC.CBr", "fewer than 3 heavy atoms"),  # 189 Da and 4 atoms before its fragments are taken apart
    ],
)
def test_each_rejection_says_why(smiles, said):
    assert reason(smiles).startswith(said)


def test_limits_come_from_the_config_and_include_their_bounds():
    assert reason("CCO", Limits(min_heavy_atoms=4)) == "fewer than 4 heavy atoms"
    weight = standardise("CCCCO", LIMITS).mol_weight
    assert isinstance(standardise("CCCCO", Limits(min_weight=weight, max_weight=weight)), Molecule)
    assert reason("CCCCO", Limits(min_weight=weight + 1e-6)).startswith("lighter than 74.123 Da")


def test_a_molecule_has_canonical_smiles_average_weight_and_heavy_atoms():
    molecule = standardise("C(O)(=O)c1c(OC(=O)C)cccc1", LIMITS)
    assert molecule.smiles == "CC(=O)Oc1ccccc1C(=O)O"
    assert molecule.n_heavy_atoms == 13
    assert molecule.mol_weight == pytest.approx(180.159, abs=1e-3)  # aspirin; monoisotopic would be 180.042
    assert molecule.scaffold == "c1ccccc1"


def test_the_largest_fragment_stays_and_salts_go():
    assert standardise("Cl.CCCCN", LIMITS).smiles == "CCCCN"
    assert standardise("[Na+].CC(=O)[O-].CCCCCC(=O)[O-].[Na+]", LIMITS).smiles == "CCCCCC(=O)O"


def test_among_equal_fragments_the_order_of_writing_does_not_matter():
    pair = ["CCCCO", "CCCCN"]
    results = {standardise(".".join(order), LIMITS).smiles for order in (pair, pair[::-1])}
    assert len(results) == 1
    assert results == {Chem.MolToSmiles(Chem.MolFromSmiles("CCCCO.CCCCN")).split(".")[0]}


def test_isotopes_and_stereo_stay_and_atom_maps_go():
    assert standardise("[13CH3]CCO", LIMITS).smiles == "[13CH3]CCO"
    left, right = (standardise(f"C[C{turn}H](N)C(=O)O", LIMITS) for turn in ("@", "@@"))
    assert left.smiles != right.smiles
    assert standardise("[CH3:1][CH2:2][CH2:3][OH:4]", LIMITS).smiles == "CCCO"


def test_a_scaffold_has_no_stereo_and_an_acyclic_molecule_has_none():
    scaffolds = {standardise(f"C[C{turn}]1(N)CCCOC1", LIMITS).scaffold for turn in ("@", "@@")}
    assert scaffolds == {"C1CCOCC1"}
    assert standardise("CCCCO", LIMITS).scaffold == ""


def test_rdkit_stays_silent_and_one_bad_row_stops_nothing(capfd):
    results = list(standardise_all(["CCCO", "xx", None, "C(C)(C)(C)(C)C", "CCCN"], LIMITS))
    assert [position for position, _ in results] == [0, 1, 2, 3, 4]
    assert [isinstance(result, Molecule) for _, result in results] == [True, False, False, False, True]
    assert capfd.readouterr().err == ""


def test_real_molecules_standardise_to_themselves_and_keep_rdkits_scaffold(mirror):
    smiles = pd.read_csv(mirror / "moleculenet" / "sider.csv").smiles[:400]
    kept = [result for _, result in standardise_all(smiles, LIMITS) if isinstance(result, Molecule)]
    assert len(kept) == 335  # 14 of those within the limits are combinations of two drugs
    assert [standardise(molecule.smiles, LIMITS) for molecule in kept] == kept
    assert [molecule.scaffold for molecule in kept] == [
        MurckoScaffold.MurckoScaffoldSmiles(mol=Chem.MolFromSmiles(m.smiles), includeChirality=False)
        for m in kept
    ]
