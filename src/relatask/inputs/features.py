"""Molecules, parsed once for all inputs, and as graphs of atoms and bonds as in Hu et al. (2019).

Vocabularies (Hu et al., "Strategies for pre-training graph neural networks"): an atom is its atomic
number and chirality tag, a bond its type and direction. Graph layers add their own self-loop.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import rdkit
from rdkit import Chem, rdBase

from relatask.core.errors import RelataskError

if TYPE_CHECKING:
    import pandas as pd

VOCABULARY = {"atomic_number": 120, "chirality": 4, "bond_type": 6, "bond_direction": 3}
CANONICAL = "canonical"  # column of items: whether RDKit wrote the SMILES, of a molecule that it had parsed
UNKNOWN_ATOM = 118  # atomic numbers 1..118 take 0..117; "*" takes the spare entry, 119 stays the mask
_OTHER_CHIRALITY = 3  # tags beyond clockwise and counter-clockwise, e.g. square planar
_BOND_TYPES = {
    Chem.BondType.SINGLE: 0,
    Chem.BondType.DOUBLE: 1,
    Chem.BondType.TRIPLE: 2,
    Chem.BondType.AROMATIC: 3,
}
_DIRECTIONS = {Chem.BondDir.ENDUPRIGHT: 1, Chem.BondDir.ENDDOWNRIGHT: 2}  # all others 0
_TYPE_OF_DOUBLED_ORDER = np.array([0, 0, 0, 3, 1, 0, 2], dtype=np.uint8)  # 1, 1.5, 2, 3 bond orders
_last: dict[tuple[tuple[int, ...], tuple[str, ...]], list[Chem.Mol]] = {}  # the chunk parsed last
_UNUSUAL_BOND = re.compile(r"[/\\<>$~*]")  # directions, dative, quadruple, any


@dataclass(frozen=True)
class Graph:
    """Atoms and bonds of one molecule.

    Attributes:
        atoms: uint8 [n, 2].
        bond_index: int32 [2 b, 2]; each bond twice in a row, (i, j) with i < j and then (j, i), bonds
            in ascending order of (i, j).
        bonds: uint8 [2 b, 2]; both directions of a bond have the same entries.
        other_bonds: bonds that are none of the four types (e.g. dative), stored as single.
    """

    atoms: np.ndarray
    bond_index: np.ndarray
    bonds: np.ndarray
    other_bonds: int = 0


def graph_of(molecule: Chem.Mol, smiles: str) -> Graph:
    """Return the graph of a molecule; `smiles`, which it was parsed from, tells which tags can occur."""
    count = molecule.GetNumAtoms()
    listed = [molecule.GetAtomWithIdx(index) for index in range(count)]  # GetAtoms() takes twice the time
    numbers = np.array([atom.GetAtomicNum() for atom in listed])
    atoms = np.zeros((count, 2), dtype=np.uint8)
    atoms[:, 0] = np.where(numbers > 0, numbers - 1, UNKNOWN_ATOM)
    if "@" in smiles:
        atoms[:, 1] = np.minimum([int(atom.GetChiralTag()) for atom in listed], _OTHER_CHIRALITY)
    if _UNUSUAL_BOND.search(smiles):
        return _with_listed_bonds(molecule, atoms)
    orders = Chem.GetAdjacencyMatrix(molecule, useBO=True)  # five times faster than asking each bond
    source, target = np.nonzero(orders)
    once = source < target
    source, target = source[once], target[once]
    bonds = np.zeros((len(source), 2), dtype=np.uint8)
    bonds[:, 0] = _TYPE_OF_DOUBLED_ORDER[(2 * orders[source, target]).astype(np.int64)]
    return Graph(atoms, *_both_ways(source, target, bonds))


def _with_listed_bonds(molecule: Chem.Mol, atoms: np.ndarray) -> Graph:
    rows = []
    others = 0
    for bond in molecule.GetBonds():
        ends = sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
        kind = bond.GetBondType()
        others += kind not in _BOND_TYPES
        rows.append((*ends, _BOND_TYPES.get(kind, 0), _DIRECTIONS.get(bond.GetBondDir(), 0)))
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4)
    return Graph(atoms, *_both_ways(table[:, 0], table[:, 1], table[:, 2:]), others)


def _both_ways(source: np.ndarray, target: np.ndarray, bonds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    index = np.stack([source, target, target, source], axis=1).reshape(-1, 2)
    return index.astype(np.int32), np.repeat(bonds, 2, axis=0).astype(np.uint8)


def parsed(items: "pd.DataFrame") -> list[Chem.Mol]:
    """Return the molecules of items, from their `smiles`; several inputs of the same chunk parse it once.

    Raises:
        RelataskError: RDKit cannot read one.
    """
    chunk = _chunk(items)
    if chunk not in _last:
        molecules = []
        with rdBase.BlockLogs():
            for item, text in zip(*chunk, strict=True):
                molecule = Chem.MolFromSmiles(text)
                if molecule is None or not molecule.GetNumAtoms():
                    raise RelataskError(
                        f"item {item} of the items table: RDKit {rdkit.__version__} cannot read the SMILES "
                        f"{text!r}; prepare the source again with this version."
                    )
                molecules.append(molecule)
        _last.clear()
        _last[chunk] = molecules
    return _last[chunk]


def with_rings(items: "pd.DataFrame") -> list[Chem.Mol]:
    """Return the molecules of items for inputs that read atoms, bonds, hydrogens and rings, such as ECFP.

    Where the column `canonical` says that RDKit wrote the SMILES, they say already which atoms are aromatic,
    and a parser that does not find it out again takes a third of the time. Other SMILES are parsed in full,
    as all are where another input has done so.

    Raises:
        RelataskError: RDKit cannot read one.
    """
    if _chunk(items) in _last or CANONICAL not in items or not items[CANONICAL].all():
        return parsed(items)
    molecules = []
    for text in items["smiles"]:
        molecule = Chem.MolFromSmiles(text, sanitize=False)
        molecule.UpdatePropertyCache(strict=False)  # counts hydrogens
        Chem.FastFindRings(molecule)
        molecules.append(molecule)
    return molecules


def _chunk(items: "pd.DataFrame") -> tuple[tuple[int, ...], tuple[str, ...]]:
    return tuple(items["item_id"]), tuple(items["smiles"])
