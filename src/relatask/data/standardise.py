"""Molecules made comparable: largest fragment, size limits, canonical SMILES, scaffold.

SGNN-EBM, appendix A.1, in the order of the authors' code: the largest fragment is taken before its
atoms are counted, so that a salt of two ions is judged by what remains of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rdkit import Chem, rdBase
from rdkit.Chem.Descriptors import MolWt  # type: ignore[attr-defined]  # set at import, unseen by mypy

SHORT = 1000  # characters; what is shorter needs no look at its size
MOST_ATOMS = 1000  # RDKit's ring search takes minutes beyond, and the stack ends at some 10,000
MOST_CHARACTERS = 20_000
MOST_KNOWN = 1 << 18  # texts whose result is remembered


@dataclass(frozen=True)
class Limits:
    """Which molecules are small molecules: heavy atoms, and average molecular weight in Da (inclusive)."""

    min_heavy_atoms: int = 3
    min_weight: float = 50.0
    max_weight: float = 900.0


@dataclass(frozen=True, slots=True)
class Molecule:
    """A standardised molecule."""

    smiles: str  # canonical, with isotopes and stereo
    n_heavy_atoms: int
    mol_weight: float  # Da, average over natural isotopes, implicit hydrogens counted (Descriptors.MolWt)
    scaffold: str  # see `scaffold_of`


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row is left out; `reason` is shared by all rows left out for it, `detail` is RDKit's word."""

    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


def standardise(smiles: str | None, limits: Limits) -> Molecule | Rejection:
    """Return the standardised molecule of one SMILES, or why there is none.

    Of several fragments the one with most atoms stays; among equals the first in the canonical SMILES of
    the whole, so that the order in which they were written does not matter. Atom map numbers are removed.
    """
    if smiles is None or not smiles.strip():
        return Rejection("no SMILES")
    try:
        if len(smiles) > SHORT and (rejection := _too_large(smiles)):
            return rejection
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is None:
            return Rejection("not a valid SMILES", _problem(smiles))
        _, *rest = smiles.split(maxsplit=1)
        if rest and not rest[0].startswith("|"):  # RDKit reads CXSMILES; other text it passes over
            return Rejection("text behind the SMILES", repr(rest[0][:40]))
        if ":" in smiles:
            for atom in molecule.GetAtoms():
                atom.SetAtomMapNum(0)
        canonical = Chem.MolToSmiles(molecule)
        if "." in canonical:
            molecule = _largest_fragment(canonical)
            canonical = Chem.MolToSmiles(molecule)
        return _within(molecule, canonical, limits)
    except (ValueError, RuntimeError) as error:  # RDKit's own invariants; seen with absurd ring closures
        return Rejection("RDKit cannot handle it", " ".join(str(error).split())[:200])


def _too_large(smiles: str) -> Rejection | None:
    """Say so where RDKit would take minutes or, beyond its stack, end the process."""
    if len(smiles) > MOST_CHARACTERS:
        return Rejection(f"more than {MOST_CHARACTERS} characters")
    molecule = Chem.MolFromSmiles(smiles, sanitize=False)
    if molecule is not None and molecule.GetNumAtoms() > MOST_ATOMS:
        return Rejection(f"more than {MOST_ATOMS} atoms")
    return None


def _within(molecule: Chem.Mol, canonical: str, limits: Limits) -> Molecule | Rejection:
    heavy = molecule.GetNumHeavyAtoms()
    if heavy < limits.min_heavy_atoms:
        return Rejection(f"fewer than {limits.min_heavy_atoms} heavy atoms")
    weight = round(MolWt(molecule), 6)  # the sum's last bits depend on the order of the atoms
    if weight < limits.min_weight:
        return Rejection(f"lighter than {limits.min_weight:g} Da")
    if weight > limits.max_weight:
        return Rejection(f"heavier than {limits.max_weight:g} Da")
    return Molecule(canonical, heavy, weight, scaffold_of(molecule))


def _largest_fragment(canonical: str) -> Chem.Mol:
    fragments = [Chem.MolFromSmiles(part) for part in canonical.split(".")]
    fragments = [fragment for fragment in fragments if fragment is not None]
    if not fragments:
        raise ValueError("none of its fragments stands alone")
    return max(fragments, key=Chem.Mol.GetNumAtoms)  # max keeps the first among equals


def scaffold_of(molecule: Chem.Mol) -> str:
    """Return the Bemis-Murcko scaffold as SMILES without stereo, empty for an acyclic molecule.

    Stereo is left out so that stereoisomers never stand on both sides of a scaffold split.
    """
    if not molecule.GetRingInfo().NumRings():
        return ""
    # What MurckoScaffold.MurckoScaffoldSmiles does, without its second sanitisation (a quarter faster).
    return Chem.MolToSmiles(Chem.MurckoDecompose(molecule), isomericSmiles=False)


def standardise_all(
    smiles: Iterable[str | None], limits: Limits
) -> Iterator[tuple[int, Molecule | Rejection]]:
    """Yield (position, result) for every SMILES, one at a time, with RDKit's own messages silenced.

    A text that stood there before is not read again: in tables of measurements most do.
    """
    known: dict[str | None, Molecule | Rejection] = {}
    with rdBase.BlockLogs():
        for position, text in enumerate(smiles):
            if (result := known.get(text)) is None:
                result = standardise(text, limits)
                if len(known) < MOST_KNOWN:
                    known[text] = result
            yield position, result


def _problem(smiles: str) -> str:
    """Say what RDKit finds wrong with an invalid SMILES."""
    molecule = Chem.MolFromSmiles(smiles, sanitize=False)
    if molecule is None:
        return "it cannot be parsed"
    problems = Chem.DetectChemistryProblems(molecule)
    return problems[0].Message() if problems else "it cannot be sanitised"
