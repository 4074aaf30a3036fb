"""Molecules made comparable: one fragment, without charges, size limits, canonical SMILES, scaffold.

SGNN-EBM, appendix A.1, in the order of the authors' code: one fragment is taken before its atoms are counted,
so that a salt of two ions is judged by what remains of it. The authors took the largest fragment and left
charges as they were; `Limits` has both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from rdkit import Chem, rdBase
from rdkit.Chem.Descriptors import MolWt  # type: ignore[attr-defined]  # set at import, unseen by mypy

from relatask.data.fragments import largest, neutralised, parent

SHORT = 1000  # characters; what is shorter needs no look at its size
MOST_ATOMS = 1000  # RDKit's ring search takes minutes beyond, and the stack ends at some 10,000
MOST_CHARACTERS = 20_000
MOST_KNOWN = 1 << 18  # texts whose result is remembered


@dataclass(frozen=True)
class Limits:
    """Which molecules are small molecules, and in which form they are compared.

    Attributes:
        min_heavy_atoms: the least number of heavy atoms.
        min_weight: in Da, average over natural isotopes; the least that is kept.
        max_weight: likewise, the greatest.
        neutralise: whether protons are moved so that an amine and its ammonium are one molecule.
        fragments: of several fragments, `parent` takes counter-ions and solvents away and rejects mixtures,
            `largest` keeps the one with most atoms, whatever the others are.
    """

    min_heavy_atoms: int = 3
    min_weight: float = 50.0
    max_weight: float = 900.0
    neutralise: bool = True
    fragments: Literal["parent", "largest"] = "parent"


@dataclass(frozen=True, slots=True)
class Molecule:
    """A standardised molecule."""

    smiles: str  # canonical, with isotopes and stereo
    n_heavy_atoms: int
    mol_weight: float  # Da, average over natural isotopes, implicit hydrogens counted (Descriptors.MolWt)
    scaffold: str  # see `scaffold_of`; empty where it was not asked for
    # Of the way here, which two rows of one molecule may differ in.
    lost: tuple[str, ...] = field(default=(), compare=False)  # counter-ions and solvents that were beside it
    neutralised: bool = field(default=False, compare=False)  # whether it was written with charges


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row is left out; `reason` is shared by all rows left out for it, `detail` is RDKit's word."""

    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


def standardise(smiles: str | None, limits: Limits, scaffold: bool = True) -> Molecule | Rejection:
    """Return the standardised molecule of one SMILES, or why there is none.

    Of several fragments `limits` says which one stays; among equals the first in the canonical SMILES of the
    whole, so that the order in which they were written does not matter. Atom map numbers are removed.

    Args:
        smiles: None stands for an empty cell.
        limits: see `Limits`.
        scaffold: whether it is wanted; finding it takes half of the time.
    """
    try:
        molecule = _read(smiles)
        if isinstance(molecule, Rejection):
            return molecule
        canonical = Chem.MolToSmiles(molecule)
        lost: tuple[str, ...] = ()
        if "." in canonical:
            chosen = parent(canonical) if limits.fragments == "parent" else largest(canonical)
            if isinstance(chosen, str):
                return Rejection("mixture", chosen)
            molecule, lost = chosen
            canonical = Chem.MolToSmiles(molecule)
        neutral = neutralised(molecule, canonical) if limits.neutralise else None
        molecule, canonical = neutral or (molecule, canonical)
        size = _size_of(molecule, limits)
        if isinstance(size, Rejection):
            return size
        frame = scaffold_of(molecule) if scaffold else ""
        return Molecule(canonical, *size, frame, lost, neutral is not None)
    except (ValueError, RuntimeError) as error:  # RDKit's own invariants; seen with absurd ring closures
        return Rejection("RDKit cannot handle it", " ".join(str(error).split())[:200])


def _read(smiles: str | None) -> Chem.Mol | Rejection:
    """Return the molecule of a SMILES, without numbers of an atom map."""
    if smiles is None or not smiles.strip():
        return Rejection("no SMILES")
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
    return molecule


def _too_large(smiles: str) -> Rejection | None:
    """Say so where RDKit would take minutes or, beyond its stack, end the process."""
    if len(smiles) > MOST_CHARACTERS:
        return Rejection(f"more than {MOST_CHARACTERS} characters")
    molecule = Chem.MolFromSmiles(smiles, sanitize=False)
    if molecule is not None and molecule.GetNumAtoms() > MOST_ATOMS:
        return Rejection(f"more than {MOST_ATOMS} atoms")
    return None


def _size_of(molecule: Chem.Mol, limits: Limits) -> tuple[int, float] | Rejection:
    """Return the number of heavy atoms and the weight of a molecule within limits."""
    heavy = molecule.GetNumHeavyAtoms()
    if heavy < limits.min_heavy_atoms:
        return Rejection(f"fewer than {limits.min_heavy_atoms} heavy atoms")
    weight = round(MolWt(molecule), 6)  # the sum's last bits depend on the order of the atoms
    if weight < limits.min_weight:
        return Rejection(f"lighter than {limits.min_weight:g} Da")
    if weight > limits.max_weight:
        return Rejection(f"heavier than {limits.max_weight:g} Da")
    return heavy, weight


def scaffold_of(molecule: Chem.Mol) -> str:
    """Return the Bemis-Murcko scaffold as SMILES without stereo, empty for an acyclic molecule.

    Stereo is left out so that stereoisomers never stand on both sides of a scaffold split.
    """
    if not molecule.GetRingInfo().NumRings():
        return ""
    # What MurckoScaffold.MurckoScaffoldSmiles does, without its second sanitisation (a quarter faster).
    return Chem.MolToSmiles(Chem.MurckoDecompose(molecule), isomericSmiles=False)


def standardise_all(
    smiles: Iterable[str | None], limits: Limits, scaffold: bool = True
) -> Iterator[tuple[int, Molecule | Rejection]]:
    """Yield (position, result) for every SMILES, one at a time, with RDKit's own messages silenced.

    A text that stood there before is not read again: in tables of measurements most do.
    """
    known: dict[str | None, Molecule | Rejection] = {}
    with rdBase.BlockLogs():
        for position, text in enumerate(smiles):
            if (result := known.get(text)) is None:
                result = standardise(text, limits, scaffold)
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
