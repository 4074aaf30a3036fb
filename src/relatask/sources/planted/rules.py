"""Activity rules of the planted data: substructures, pairs of them, and optima of properties."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relatask.sources.planted.molecules import weight_and_logp

if TYPE_CHECKING:
    import numpy as np

PATTERNS = {
    "pyrimidine": "c1cncnc1",
    "pyridine": "[$(c1ccncc1),$(c1cccnc1)]",
    "five_ring_nn": "[n;r5]:[n;r5]",
    "indole_like": "c1ccc2c(c1)cc[nX3]2",
    "azole_s": "[s;r5]",
    "azole_o": "[o;r5]",
    "phenyl": "[cH]1[cH][cH][cH][cH]c1",
    "para_arene": "c1([!#1])[cH][cH]c([!#1])[cH][cH]1",
    "aromatic_f": "cF",
    "aromatic_cl": "cCl",
    "cf3": "C(F)(F)F",
    "acid": "[CX3](=O)[OX2H]",
    "ester": "[CX3](=O)[OX2][CX4]",
    "secondary_amide": "[CX3](=O)[NX3;H1]",
    "tertiary_amide": "[CX3](=O)[NX3;H0]",
    "primary_amide": "[CX3](=O)[NX3H2]",
    "urea": "[NX3][CX3](=O)[NX3]",
    "sulfonyl": "S(=O)(=O)",
    "primary_sulfonamide": "S(=O)(=O)[NH2]",
    "aniline_nh": "[NX3;H1]([c])[#6;!$(C=O)]",
    "basic_amine": "[NX3;H0,H1,H2;!$(N[C,S]=O);!$(Nc)]([CX4])",
    "morpholine": "C1COCCN1",
    "piperazine": "C1CNCCN1",
    "piperidine": "C1CCNCC1",
    "aryl_ether": "cO[CX4]",
    "diaryl_ether": "cOc",
    "hydroxyl": "[OX2H][CX4,c]",
    "nitrile_or_alkyne": "C#[N,C]",
    "benzyl": "c[CH2][#7,#8,#6]",
    "nitro": "[N+](=O)[O-]",
    "cycloalkyl": "[$(C1CC1),$(C1CCCCC1),$(C1CCCC1)]",
    "bicyclic_arene": "c12aaaac1aaa2",
    "bicyclic_six": "c12aaaac1aaaa2",
}
PROPERTIES = ("weight", "logp", "tpsa", "donors", "rotatable_bonds")


@dataclass(frozen=True)
class Features:
    """What the rules see of M molecules: substructures (0/1) and standardised properties."""

    patterns: "np.ndarray"  # float64 [M, len(PATTERNS)]
    properties: "np.ndarray"  # float64 [M, len(PROPERTIES)]


@dataclass(frozen=True)
class Rule:
    """Weighted substructures, a pair that counts only together, and an optimum of a property."""

    weights: dict[str, float]
    pair: tuple[str, str]
    pair_weight: float
    prop: str  # a key of PROPERTIES
    optimum: float  # in standard deviations from the mean
    property_weight: float

    def score(self, features: Features) -> "np.ndarray":
        """Return the rule's value for each molecule [M], mean 0 and standard deviation 1."""
        import numpy as np

        names = list(PATTERNS)
        total = sum(w * features.patterns[:, names.index(name)] for name, w in self.weights.items())
        a, b = (features.patterns[:, names.index(name)] for name in self.pair)
        distance = features.properties[:, PROPERTIES.index(self.prop)] - self.optimum
        total = total + self.pair_weight * a * b + self.property_weight * np.exp(-(distance**2))
        return _standardise(total)


def describe(smiles: list[str]) -> Features:
    """Return the features of molecules given as SMILES."""
    import numpy as np
    from rdkit import Chem
    from rdkit.Chem import rdMolDescriptors

    queries = [Chem.MolFromSmarts(text) for text in PATTERNS.values()]
    molecules = [Chem.MolFromSmiles(text) for text in smiles]
    patterns = np.array([[m.HasSubstructMatch(query) for query in queries] for m in molecules], dtype=float)
    properties = np.array(
        [
            (
                *weight_and_logp(m),
                rdMolDescriptors.CalcTPSA(m),
                rdMolDescriptors.CalcNumHBD(m),
                rdMolDescriptors.CalcNumRotatableBonds(m),
            )
            for m in molecules
        ]
    )
    return Features(patterns, _standardise(properties))


def draw_rule(liked: list[str], disliked: list[str], rng: "np.random.Generator") -> Rule:
    """Return a rule that rewards some substructures and punishes others."""
    weights = {name: round(rng.uniform(0.8, 2.0), 3) for name in liked}
    weights |= {name: -round(rng.uniform(0.8, 2.0), 3) for name in disliked}
    return Rule(
        weights=weights,
        pair=(liked[0], disliked[0]),
        pair_weight=round(rng.uniform(1.0, 2.0), 3),
        prop=PROPERTIES[rng.integers(len(PROPERTIES))],
        optimum=round(rng.uniform(-1.0, 1.0), 3),
        property_weight=round(rng.uniform(0.8, 1.6), 3),
    )


def _standardise(values: "np.ndarray") -> "np.ndarray":
    """Return `values` with mean 0 and standard deviation 1 along the first axis; constants become 0."""
    import numpy as np

    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
