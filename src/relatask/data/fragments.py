"""Which fragment of a SMILES is the molecule that was measured, and which are counter-ions and solvents.

Names follow the salts and solvents of P. H. Stahl and C. G. Wermuth (eds.), Handbook of Pharmaceutical Salts
(2nd ed., 2011), and what the open data sets of ToxCast, SIDER and KIBA hold.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

# Name -> SMILES of the neutral form. What holds no carbon, such as Cl, Na or water, needs no entry.
COUNTER_IONS = {
    "acetate": "CC(=O)O", "adipate": "OC(=O)CCCCC(=O)O", "aminosalicylate": "Nc1ccc(C(=O)O)c(O)c1",
    "arginine": "NC(=N)NCCCC(N)C(=O)O", "ascorbate": "OCC(O)C1OC(=O)C(O)=C1O",
    "aspartate": "NC(CC(=O)O)C(=O)O", "benzathine": "C(CNCc1ccccc1)NCc1ccccc1",
    "benzoate": "OC(=O)c1ccccc1", "besylate": "OS(=O)(=O)c1ccccc1",
    "bistriflimide": "O=S(=O)(NS(=O)(=O)C(F)(F)F)C(F)(F)F", "camsylate": "CC1(C)C2CCC1(CS(=O)(=O)O)C(=O)C2",
    "carbonate": "OC(=O)O", "choline": "C[N+](C)(C)CCO", "citrate": "OC(=O)CC(O)(CC(=O)O)C(=O)O",
    "cyclamate": "OS(=O)(=O)NC1CCCCC1",
    "dibenzoyltartrate": "OC(=O)C(OC(=O)c1ccccc1)C(OC(=O)c1ccccc1)C(=O)O",
    "dicyclohexylamine": "C1CCCCC1NC1CCCCC1", "diethanolamine": "OCCNCCO", "diethylamine": "CCNCC",
    "dodecylbenzenesulfonate": "CCCCCCCCCCCCc1ccccc1S(=O)(=O)O", "edisylate": "OS(=O)(=O)CCS(=O)(=O)O",
    "erbumine": "CC(C)(C)N", "estolate": "CCCCCCCCCCCCOS(=O)(=O)O", "esylate": "CCS(=O)(=O)O",
    "ethanolamine": "NCCO", "ethylenediamine": "NCCN", "formate": "OC=O",
    "fumarate or maleate": "OC(=O)C=CC(=O)O", "gentisate": "OC(=O)c1cc(O)ccc1O",
    "gluceptate": "OCC(O)C(O)C(O)C(O)C(O)C(=O)O", "gluconate": "OCC(O)C(O)C(O)C(O)C(=O)O",
    "glucuronate": "O=CC(O)C(O)C(O)C(O)C(=O)O", "glutamate": "NC(CCC(=O)O)C(=O)O",
    "glutarate": "OC(=O)CCCC(=O)O", "glycine": "NCC(=O)O", "hexanoate": "CCCCCC(=O)O",
    "hippurate": "OC(=O)CNC(=O)c1ccccc1", "histidine": "NC(Cc1c[nH]cn1)C(=O)O",
    "isethionate": "OCCS(=O)(=O)O", "lactate": "CC(O)C(=O)O",
    "lactobionate": "OC(=O)C(O)C(O)C(OC1OC(CO)C(O)C(O)C1O)C(O)CO", "laurate": "CCCCCCCCCCCC(=O)O",
    "lysine": "NCCCCC(N)C(=O)O", "malate": "OC(=O)CC(O)C(=O)O", "malonate": "OC(=O)CC(=O)O",
    "mandelate": "OC(=O)C(O)c1ccccc1", "meglumine": "CNCC(O)C(O)C(O)C(O)CO", "mesylate": "CS(=O)(=O)O",
    "methylsulfate": "COS(=O)(=O)O", "morpholine": "C1COCCN1",
    "napadisylate": "OS(=O)(=O)c1cccc2c(S(=O)(=O)O)cccc12", "napsylate": "OS(=O)(=O)c1ccc2ccccc2c1",
    "nicotinate": "OC(=O)c1cccnc1", "oleate": "CCCCCCCCC=CCCCCCCCC(=O)O",
    "orotate": "OC(=O)c1cc(=O)[nH]c(=O)[nH]1", "oxalate": "OC(=O)C(=O)O",
    "palmitate": "CCCCCCCCCCCCCCCC(=O)O", "pamoate": "OC(=O)c1cc2ccccc2c(Cc2c(O)c(C(=O)O)cc3ccccc23)c1O",
    "piperazine": "C1CNCCN1", "propionate": "CCC(=O)O", "pyroglutamate": "OC(=O)C1CCC(=O)N1",
    "saccharate": "OC(=O)C(O)C(O)C(O)C(O)C(=O)O", "saccharin": "O=C1NS(=O)(=O)c2ccccc21",
    "salicylate": "OC(=O)c1ccccc1O", "sebacate": "OC(=O)CCCCCCCCC(=O)O",
    "stearate": "CCCCCCCCCCCCCCCCCC(=O)O", "succinate": "OC(=O)CCC(=O)O",
    "sulfosalicylate": "OC(=O)c1cc(S(=O)(=O)O)ccc1O", "tartrate": "OC(=O)C(O)C(O)C(=O)O",
    "thiocyanate": "N#CS", "tosylate": "Cc1ccc(S(=O)(=O)O)cc1", "triethanolamine": "OCCN(CCO)CCO",
    "triethylamine": "CCN(CC)CC", "triflate": "OS(=O)(=O)C(F)(F)F", "trifluoroacetate": "OC(=O)C(F)(F)F",
    "trometamol": "NC(CO)(CO)CO", "xinafoate": "OC(=O)c1ccc2ccccc2c1O",
    # solvents
    "acetone": "CC(C)=O", "acetonitrile": "CC#N", "benzene": "c1ccccc1", "butanol": "CCCCO",
    "chloroform": "ClC(Cl)Cl", "cyclohexane": "C1CCCCC1", "dichloromethane": "ClCCl",
    "diethyl ether": "CCOCC", "dimethyl sulfoxide": "CS(C)=O", "dimethylformamide": "CN(C)C=O",
    "dioxane": "C1COCCO1", "ethanol": "CCO", "ethyl acetate": "CCOC(C)=O", "ethylene glycol": "OCCO",
    "hexane": "CCCCCC", "methanol": "CO", "propanol": "CCCO", "propylene glycol": "CC(O)CO",
    "isopropanol": "CC(C)O", "pyridine": "c1ccncc1", "tetrahydrofuran": "C1CCOC1", "toluene": "Cc1ccccc1",
}  # fmt: skip
# SMILES -> name of what holds no carbon; others go by their SMILES.
INORGANIC = {
    "Cl": "chloride", "Br": "bromide", "I": "iodide", "F": "fluoride", "O": "water", "N": "ammonia",
    "[Na+]": "sodium", "[K+]": "potassium", "[Li+]": "lithium", "[Ca+2]": "calcium", "[Mg+2]": "magnesium",
    "[Zn+2]": "zinc", "O=S(=O)(O)O": "sulfate", "O=P(O)(O)O": "phosphate", "O=[N+]([O-])O": "nitrate",
    "[O-][Cl+3]([O-])([O-])O": "perchlorate", "F[B-](F)(F)F": "tetrafluoroborate",
    "F[PH](F)(F)(F)(F)F": "hexafluorophosphate",
}  # fmt: skip
SMALLEST_DRUG = 8  # heavy atoms; a smaller fragment beside a larger one is taken for a solvent or counter-ion
_CHARGED = re.compile(r"[+-]\d*\]")  # in a SMILES without atom map numbers
_UNCHARGER = rdMolStandardize.Uncharger()


def neutralised(molecule: Chem.Mol, canonical: str) -> tuple[Chem.Mol, str] | None:
    """Return a molecule and its canonical SMILES without the charges that a proton explains; None: none is.

    Protons are added to anions and taken from cations (RDKit's Uncharger). Nitro groups, N-oxides and
    quaternary nitrogen keep their charges, and as many anions beside quaternary nitrogen as balance it.

    Args:
        molecule: one fragment.
        canonical: its SMILES.
    """
    if not _CHARGED.search(canonical):
        return None
    found = Chem.MolFromSmiles(Chem.MolToSmiles(_UNCHARGER.uncharge(molecule)))
    if found is None:  # e.g. of cyclopentadienide, which is aromatic with its charge alone
        return None
    text = Chem.MolToSmiles(found)
    return None if text == canonical else (found, text)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment of a SMILES.

    Attributes:
        smiles: as in the canonical SMILES of the whole.
        flat: neutral, without stereo: what fragments are compared by.
        name: of the counter-ion or solvent; None for any other molecule.
        atoms: their number, explicit hydrogens included.
        heavy: number of heavy atoms.
    """

    smiles: str
    flat: str
    name: str | None
    atoms: int
    heavy: int


def largest(canonical: str) -> tuple[Chem.Mol, tuple[str, ...]]:
    """Return the fragment with most atoms, and the names of the others; among equals the first stays.

    Raises:
        ValueError: no fragment stands alone.
    """
    fragments = _fragments(canonical)
    kept = max(fragments, key=lambda one: one.atoms)  # max keeps the first among equals
    return Chem.MolFromSmiles(kept.smiles), _names(fragments, kept)


def parent(canonical: str) -> tuple[Chem.Mol, tuple[str, ...]] | str:
    """Return the molecule without counter-ions and solvents, and their names; of a mixture a text.

    What holds no carbon or is one of `COUNTER_IONS` goes, unless nothing else is there. Of what is left the
    largest fragment stays. If another molecule of 8 heavy atoms or more is beside it, the whole is a mixture.

    Raises:
        ValueError: no fragment stands alone.
    """
    fragments = _fragments(canonical)
    others = [one for one in fragments if one.name is None] or fragments
    kept = max(others, key=lambda one: one.atoms)
    for one in fragments:
        if one.name is None and one.flat != kept.flat and one.heavy >= SMALLEST_DRUG:
            return f"{kept.smiles} with {one.smiles}"
    return Chem.MolFromSmiles(kept.smiles), _names(fragments, kept)


def _names(fragments: list[Fragment], kept: Fragment) -> tuple[str, ...]:
    """Return what is left out beside `kept`, each once; a second of the same molecule has no name."""
    return tuple(dict.fromkeys(one.name or one.flat for one in fragments if one.flat != kept.flat))


def _fragments(canonical: str) -> list[Fragment]:
    found = [one for part in canonical.split(".") if (one := _fragment(part)) is not None]
    if not found:
        raise ValueError("none of its fragments stands alone")
    return found


@lru_cache(maxsize=4096)
def _fragment(smiles: str) -> Fragment | None:
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return None
    flat = _flat(molecule)
    organic = any(atom.GetAtomicNum() == 6 for atom in molecule.GetAtoms())
    name = _named().get(flat) if organic else INORGANIC.get(flat, flat)
    return Fragment(smiles, flat, name, molecule.GetNumAtoms(), molecule.GetNumHeavyAtoms())


def _flat(molecule: Chem.Mol) -> str:
    return Chem.MolToSmiles(_UNCHARGER.uncharge(molecule), isomericSmiles=False)


@lru_cache(maxsize=1)
def _named() -> dict[str, str]:
    """Return SMILES as `_flat` writes them -> name."""
    return {_flat(Chem.MolFromSmiles(smiles)): name for name, smiles in COUNTER_IONS.items()}
