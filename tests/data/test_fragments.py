"""Which fragment is the molecule, and that a proton more or less makes no other molecule."""

import pandas as pd
import pytest
from rdkit import Chem

from relatask.data.fragments import COUNTER_IONS, INORGANIC
from relatask.data.standardise import Limits, Molecule, Rejection, standardise, standardise_all

ANYTHING = Limits(min_heavy_atoms=1, min_weight=0.0, max_weight=float("inf"))
AS_WRITTEN = Limits(
    min_heavy_atoms=1, min_weight=0.0, max_weight=float("inf"), neutralise=False, fragments="largest"
)


def smiles_of(text: str, limits: Limits = ANYTHING) -> str:
    found = standardise(text, limits)
    assert isinstance(found, Molecule)
    return found.smiles


@pytest.mark.parametrize(
    ("charged", "neutral"),
    [
        ("[NH3+]CCc1ccccc1", "NCCc1ccccc1"),
        ("C[NH2+]Cc1ccccc1", "CNCc1ccccc1"),  # as bace.csv writes its amines
        ("C[C@H]1C[NH2+]C[C@@H](C)O1", "C[C@H]1CNC[C@@H](C)O1"),
        ("CC(N)=[NH2+]", "CC(=N)N"),
        ("c1cc[nH+]cc1", "c1ccncc1"),
        ("CCCC(=O)[O-]", "CCCC(=O)O"),
        ("[Na+].CCCC(=O)[O-]", "CCCC(=O)O"),
        ("[O-]S(=O)(=O)c1ccccc1", "O=S(=O)(O)c1ccccc1"),
        ("[NH3+][C@@H](C)C(=O)[O-]", "C[C@H](N)C(=O)O"),  # the zwitterion of an amino acid
        ("[O-]c1ccc([N+](=O)[O-])cc1", "O=[N+]([O-])c1ccc(O)cc1"),
    ],
)
def test_a_proton_more_or_less_makes_no_other_molecule(charged, neutral):
    assert smiles_of(charged) == smiles_of(neutral) == Chem.CanonSmiles(neutral)
    assert smiles_of(charged, AS_WRITTEN) != neutral
    found = standardise(charged, ANYTHING)
    assert isinstance(found, Molecule)
    assert found.neutralised


@pytest.mark.parametrize(
    "smiles",
    [
        "O=[N+]([O-])c1ccccc1",  # nitro
        "C[N+](C)(C)[O-]",  # N-oxide
        "CN=[N+]=[N-]",  # azide
        "[C-]#[N+]C",  # isonitrile
        "C[N+](C)(C)CCO",  # quaternary nitrogen
        "C[N+](C)(C)CC(=O)[O-]",  # betaine: its anion balances quaternary nitrogen
        "C[n+]1ccccc1",
        "C[S+](C)C",
    ],
)
def test_charges_that_no_proton_explains_stay(smiles):
    found = standardise(smiles, ANYTHING)
    assert isinstance(found, Molecule)
    assert found.smiles == Chem.CanonSmiles(smiles)
    assert not found.neutralised


def test_what_has_no_neutral_form_stays_as_it_is():
    assert smiles_of("c1cc[cH-]c1") == "c1cc[cH-]c1"  # aromatic with its charge alone


@pytest.mark.parametrize(
    ("written", "kept", "lost"),
    [
        ("CCCCN.Cl", "CCCCN", ("chloride",)),
        ("CCCC[NH3+].[Cl-]", "CCCCN", ("chloride",)),
        ("CCCCN.OC(=O)C(F)(F)F", "CCCCN", ("trifluoroacetate",)),
        ("CCCCN.O.O.CS(=O)(=O)O", "CCCCN", ("mesylate", "water")),
        ("CN(C)C(=N)N=C(N)N.OC(=O)CC(O)(CC(=O)O)C(=O)O", "CN(C)C(=N)N=C(N)N", ("citrate",)),  # the larger one
        ("[Na+].[Na+].OC(=O)CC(O)(CC(=O)[O-])C(=O)[O-]", "O=C(O)CC(O)(CC(=O)O)C(=O)O", ("sodium",)),
        ("CCCCO.CCCCO", "CCCCO", ()),  # twice the same
        ("C[C@H](N)c1ccccc1.C[C@@H](N)c1ccccc1", "C[C@@H](N)c1ccccc1", ()),  # a racemate
        ("CCCCCCCCN.CCNC", "CCCCCCCCN", ("CCNC",)),  # too small for a second drug
        ("N.N.Cl[Pt]Cl", "[Cl][Pt][Cl]", ("ammonia",)),  # nothing holds carbon
    ],
)
def test_counter_ions_and_solvents_go_and_are_named(written, kept, lost):
    found = standardise(written, ANYTHING)
    assert isinstance(found, Molecule)
    assert found.smiles == kept
    assert sorted(found.lost) == sorted(lost)


def test_a_mixture_of_two_drugs_is_rejected_or_by_wish_its_largest_fragment():
    aspirin, caffeine = "CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"
    for both in (f"{aspirin}.{caffeine}", f"{caffeine}.{aspirin}", f"{aspirin}.{caffeine}.Cl"):
        found = standardise(both, ANYTHING)
        assert isinstance(found, Rejection)
        assert str(found) == f"mixture: {caffeine} with {aspirin}"
        assert smiles_of(both, AS_WRITTEN) == caffeine


def test_every_counter_ion_is_known_as_acid_and_as_salt():
    for name, smiles in COUNTER_IONS.items():
        found = standardise(f"CCCCCCCCCCCCCCCCCCCCN.{smiles}", ANYTHING)
        assert isinstance(found, Molecule), name
        assert found.lost == (name,)
    for smiles in INORGANIC:
        assert Chem.MolFromSmiles(smiles, sanitize=False) is not None


def test_real_molecules_become_what_standardising_again_leaves(mirror):
    smiles = pd.read_csv(mirror / "moleculenet" / "tox21.csv").smiles[::10]
    found = [one for _, one in standardise_all(smiles, ANYTHING) if isinstance(one, Molecule)]
    assert sum(one.neutralised for one in found) > 20
    again = [one for _, one in standardise_all([one.smiles for one in found], ANYTHING)]
    assert again == found
    assert not any(one.neutralised for one in again if isinstance(one, Molecule))
