"""Molecules of the planted data: real medicinal-chemistry scaffolds with substituents joined by RDKit."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from relatask.core.errors import RelataskError

if TYPE_CHECKING:
    import numpy as np
    from rdkit.Chem import Mol

MIN_WEIGHT, MAX_WEIGHT = 150.0, 600.0  # Da
MIN_LOGP, MAX_LOGP = -1.5, 6.5  # Crippen; what screening libraries hold

# name -> SMILES; [*:1] and [*:2] take substituents at carbon, [*:8] at nitrogen
SCAFFOLDS = {
    "quinazoline": "[*:1]c1ncnc2ccc([*:2])cc12",
    "quinoline": "[*:1]c1ccnc2cc([*:2])ccc12",
    "isoquinoline": "[*:1]c1nccc2cc([*:2])ccc12",
    "pyrimidine": "[*:1]c1ccnc([*:2])n1",
    "pyridine": "[*:1]c1cncc([*:2])c1",
    "pyrazine": "[*:1]c1cnc([*:2])cn1",
    "pyridazinone": "[*:1]c1ccc(=O)n([*:8])n1",
    "indole": "[*:1]c1c[nH]c2ccc([*:2])cc12",
    "n_alkyl_indole": "[*:1]c1cn([*:8])c2ccccc12",
    "oxindole": "[*:1]C1C(=O)Nc2ccc([*:2])cc12",
    "indazole": "[*:1]c1n[nH]c2ccc([*:2])cc12",
    "benzimidazole": "[*:1]c1nc2cc([*:2])ccc2n1[*:8]",
    "azaindole": "[*:1]c1c[nH]c2ncc([*:2])cc12",
    "pyrrolopyrimidine": "[*:1]c1ncnc2c1ccn2[*:8]",
    "purine": "[*:1]c1ncnc2c1ncn2[*:8]",
    "pyrazolopyrimidine": "[*:1]c1cc([*:2])n2nccc2n1",
    "imidazopyridine": "[*:1]c1cn2cc([*:2])ccc2n1",
    "pyrazole": "[*:1]c1cc([*:2])n([*:8])n1",
    "imidazole": "[*:1]c1c([*:2])nc[nH]1",
    "triazole": "[*:1]c1nnc([*:2])n1[*:8]",
    "oxadiazole": "[*:1]c1nnc([*:2])o1",
    "isoxazole": "[*:1]c1cc([*:2])on1",
    "thiazole": "[*:1]c1csc([*:2])n1",
    "oxazole": "[*:1]c1coc([*:2])n1",
    "thiophene": "[*:1]c1ccc([*:2])s1",
    "benzothiazole": "[*:1]c1nc2ccc([*:2])cc2s1",
    "benzofuran": "[*:1]c1cc2cc([*:2])ccc2o1",
    "quinazolinone": "[*:1]c1nc2ccc([*:2])cc2c(=O)n1[*:8]",
    "chromone": "[*:1]c1cc(=O)c2ccc([*:2])cc2o1",
    "coumarin": "[*:1]c1cc2ccc([*:2])cc2oc1=O",
    "biphenyl": "[*:1]c1ccc(-c2cccc([*:2])c2)cc1",
    "diphenyl_ether": "[*:1]c1ccc(Oc2ccc([*:2])cc2)cc1",
    "benzene": "[*:1]c1ccc([*:2])cc1",
    "phenylpiperazine": "[*:1]c1ccc(N2CCN([*:8])CC2)cc1",
    "phenylpiperidine": "[*:1]c1ccc(C2CCN([*:8])CC2)cc1",
    "tetrahydroisoquinoline": "[*:1]c1ccc2c(c1)CCN([*:8])C2",
    "benzodiazepine": "[*:1]C1=NCC(=O)N([*:8])c2ccc([*:2])cc12",
    "dihydropyridine": "[*:1]C1C(C(=O)OC)=C(C)NC(C)=C1C(=O)OC",
    "hydantoin": "[*:1]C1NC(=O)N([*:8])C1=O",
    "thiazolidinedione": "[*:1]C1SC(=O)N([*:8])C1=O",
    "piperidine_amide": "[*:1]C1CCN(C(=O)c2ccc([*:2])cc2)CC1",
    "proline_amide": "[*:1]C(=O)C1CCCN1[*:8]",
}


def _words(text: str) -> tuple[str, ...]:
    """Return the words of a text; a list of so many SMILES, one a line, would take three pages."""
    return tuple(text.split())


SMALL = _words(
    "[H] C F Cl Br O OC OCC OC(F)F OC(F)(F)F C(F)(F)F C#N N NC N(C)C C(=O)O C(=O)OC C(=O)N C(=O)NC "
    "S(=O)(=O)C S(=O)(=O)N NS(=O)(=O)C NC(=O)C C(C)C C1CC1 C(C)(C)C CO CN CCO SC C(=O)C [N+](=O)[O-] "
    "OCCN(C)C CN(C)C C#C"
)
LARGE = _words(
    "c1ccccc1 c1ccc(F)cc1 c1cccc(Cl)c1 c1ccc(OC)cc1 c1ccc(O)cc1 c1ccc(C(=O)O)cc1 c1ccc(S(=O)(=O)N)cc1 "
    "c1cccnc1 c1ccncc1 c1ccco1 c1cccs1 c1nccs1 c1cn[nH]c1 c1nnn[nH]1 N1CCOCC1 N1CCNCC1 N1CCN(C)CC1 "
    "N1CCCCC1 N1CCCC1 C1CCCCC1 Cc1ccccc1 Cc1ccc(F)cc1 Nc1ccccc1 Nc1ccc(F)c(Cl)c1 Nc1cccc(C#C)c1 NCc1ccccc1 "
    "Nc1ccc(S(=O)(=O)N)cc1 Oc1ccccc1 OCc1ccccc1 OCCN1CCOCC1 OCCCN1CCCCC1 C(=O)Nc1ccccc1 C(=O)Nc1cccnc1 "
    "C(=O)NCc1ccccc1 C(=O)N1CCOCC1 C(=O)N1CCN(C)CC1 C(=O)NC1CC1 NC(=O)c1ccccc1 NC(=O)c1ccco1 "
    "NC(=O)Nc1ccccc1 NC(=O)Nc1ccc(Cl)c(C(F)(F)F)c1 NS(=O)(=O)c1ccc(C)cc1 S(=O)(=O)N1CCOCC1 "
    "CN1CCOCC1 CN1CCN(C)CC1 NC1CCNCC1 NCCN(C)C NCCc1c[nH]c2ccccc12 C=Cc1ccccc1 C(=O)c1ccccc1 n1ccnc1 "
    "OCC(=O)O NCC(=O)O CCC(=O)O C(=O)NO"
)
AT_NITROGEN = _words(
    "[H] C CC C(C)C C1CC1 CCO CCN(C)C CC(=O)O CC(=O)N C(=O)C C(=O)c1ccccc1 C(=O)c1ccco1 S(=O)(=O)C "
    "S(=O)(=O)c1ccc(C)cc1 c1ccccc1 c1ccc(F)cc1 c1ccncc1 Cc1ccccc1 Cc1ccc(Cl)cc1 Cc1cccnc1 CCc1ccccc1 "
    "CCN1CCOCC1 C1CCCC1 C1CCNCC1 CC(=O)Nc1ccccc1 C(=O)Nc1ccccc1"
)


@dataclass(frozen=True)
class PlantedMolecules:
    """Molecules in the order they were made; entry m belongs to the chemical series scaffold[m]."""

    smiles: list[str]  # canonical, all different
    scaffold: list[str]  # a key of SCAFFOLDS


def make_molecules(count: int, rng: "np.random.Generator") -> PlantedMolecules:
    """Return `count` different drug-like molecules: sanitised, 150-600 Da, Crippen logP -1.5 to 6.5.

    Scaffolds are chosen with unequal weights, so that some chemical series are large and some small, as
    in real collections.

    Raises:
        RelataskError: there are not so many molecules.
    """
    names = list(SCAFFOLDS)
    weights = rng.gamma(1.5, size=len(names)) + 0.2
    weights /= weights.sum()
    made: dict[str, str] = {}
    for _ in range(10 * count + 1000):
        if len(made) == count:
            return PlantedMolecules(list(made), list(made.values()))
        name = names[rng.choice(len(names), p=weights)]
        smiles = _join(name, rng)
        if smiles is not None:
            made.setdefault(smiles, name)
    raise RelataskError(
        f"--molecules {count}: the planted scaffolds and substituents gave only {len(made)} different "
        "drug-like molecules; ask for fewer."
    )


def weight_and_logp(molecule: "Mol") -> tuple[float, float]:
    """Return the average molecular weight in Da and Crippen's logP."""
    from rdkit.Chem import Crippen, Descriptors

    return Descriptors.MolWt(molecule), Crippen.MolLogP(molecule)  # type: ignore[attr-defined]


def _join(name: str, rng: "np.random.Generator") -> str | None:
    """Return the canonical SMILES of scaffold `name` with random substituents, or None if not drug-like."""
    from rdkit import Chem

    joined = _scaffold(name)
    for place in (1, 2, 8):
        if f"[*:{place}]" in SCAFFOLDS[name]:
            pool = AT_NITROGEN if place == 8 else LARGE if rng.random() < 0.65 else SMALL
            joined = Chem.CombineMols(joined, _substituent(pool[rng.integers(len(pool))], place))
    molecule = Chem.molzip(joined)
    Chem.SanitizeMol(molecule)
    molecule = Chem.RemoveHs(molecule)
    weight, logp = weight_and_logp(molecule)
    if not (MIN_WEIGHT <= weight <= MAX_WEIGHT and MIN_LOGP <= logp <= MAX_LOGP):
        return None
    smiles: str = Chem.MolToSmiles(molecule)
    return Chem.CanonSmiles(smiles)


@lru_cache
def _scaffold(name: str) -> "Mol":
    from rdkit import Chem

    return Chem.MolFromSmiles(SCAFFOLDS[name])


@lru_cache(maxsize=1024)
def _substituent(smiles: str, place: int) -> "Mol":
    """Return a substituent whose first atom is bound to the attachment point `place`."""
    from rdkit import Chem

    return Chem.MolFromSmiles(f"[*:{place}]{smiles}", sanitize=smiles != "[H]")
