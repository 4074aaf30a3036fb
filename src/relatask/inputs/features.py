"""Features of molecules: atoms and bonds as in Hu et al. (2019), and ECFP4 bits, stored flat.

Vocabularies (Hu et al., "Strategies for pre-training graph neural networks"): an atom is its atomic
number and chirality tag, a bond its type and direction. Graph layers add their own self-loop.
"""

import re
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rdkit
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator
from tqdm import tqdm

from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of, write_json
from relatask.core.npy_writer import NpyWriter, npy_writer

ARRAYS: dict[str, tuple[str, int | None]] = {  # name -> type, width
    "atoms": ("uint8", 2),  # per atom: index of the atomic number, chirality
    "atom_offsets": ("int64", None),  # molecule m has atoms [offset m, offset m + 1)
    "bond_index": ("int32", 2),  # per directed bond: source, target, counted within the molecule
    "bonds": ("uint8", 2),  # per directed bond: type, direction
    "bond_offsets": ("int64", None),
    "ecfp4": ("uint8", 256),  # per molecule: 2,048 bits packed by np.packbits
}
VOCABULARY = {"atomic_number": 120, "chirality": 4, "bond_type": 6, "bond_direction": 3}
UNKNOWN_ATOM = 118  # atomic numbers 1..118 take 0..117; "*" takes the spare entry, 119 stays the mask
RADIUS, BITS = 2, 2048
_OTHER_CHIRALITY = 3  # tags beyond clockwise and counter-clockwise, e.g. square planar
_BOND_TYPES = {
    Chem.BondType.SINGLE: 0,
    Chem.BondType.DOUBLE: 1,
    Chem.BondType.TRIPLE: 2,
    Chem.BondType.AROMATIC: 3,
}
_DIRECTIONS = {Chem.BondDir.ENDUPRIGHT: 1, Chem.BondDir.ENDDOWNRIGHT: 2}  # all others 0
_TYPE_OF_DOUBLED_ORDER = np.array([0, 0, 0, 3, 1, 0, 2], dtype=np.uint8)  # 1, 1.5, 2, 3 bond orders
_UNUSUAL_BOND = re.compile(r"[/\\<>$~*]")  # directions, dative, quadruple, any
_CHUNK = 1024


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


def write_features(smiles: Iterable[str], folder: Path, total: int | None = None) -> dict[str, Any]:
    """Compute and write the features of all molecules to `folder`, in bounded memory.

    Args:
        smiles: canonical SMILES, one per molecule, in the order of the data set.
        folder: gets the arrays of `ARRAYS` and features.json.
        total: number of molecules, for the progress bar.

    Returns:
        What features.json holds: counts, vocabulary sizes, RDKit version, digest of the arrays.

    Raises:
        RelataskError: RDKit cannot read a SMILES.
    """
    counts = dict.fromkeys(("molecules", "atoms", "directed_bonds", "unknown_atoms", "other_bonds"), 0)
    progress = tqdm(smiles, total=total, desc="features", unit="mol", disable=None, leave=False)
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(npy_writer(folder / f"{name}.npy", *kind))
            for name, kind in ARRAYS.items()
        }
        stack.enter_context(rdBase.BlockLogs())
        for name in ("atom_offsets", "bond_offsets"):
            writers[name].append(np.zeros(1))
        chunk: list[str] = []
        for text in progress:
            chunk.append(text)
            if len(chunk) == _CHUNK:
                _append(writers, chunk, counts)
                chunk = []
        _append(writers, chunk, counts)
    record = {
        **counts,
        "vocabulary": VOCABULARY,
        "fingerprint": {"kind": "morgan", "radius": RADIUS, "bits": BITS},
        "rdkit": rdkit.__version__,
        "files": {f"{name}.npy": sha256_of(folder / f"{name}.npy") for name in ARRAYS},
        "digest": sha256_of(*(folder / f"{name}.npy" for name in ARRAYS)),
    }
    write_json(folder / "features.json", record)
    return record


def _append(writers: dict[str, NpyWriter], chunk: list[str], counts: dict[str, int]) -> None:
    """Featurise a chunk of molecules and append it to the arrays."""
    if not chunk:
        return
    fingerprints = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    graphs, bits = [], np.empty((len(chunk), BITS), dtype=np.uint8)
    for row, text in enumerate(chunk):
        molecule = Chem.MolFromSmiles(text)
        if molecule is None or not molecule.GetNumAtoms():
            raise RelataskError(
                f"row {counts['molecules'] + row + 1} of the molecules table: RDKit {rdkit.__version__} "
                f"cannot read the SMILES {text!r}; standardise the source again with this version."
            )
        graphs.append(graph_of(molecule, text))
        bits[row] = fingerprints.GetFingerprintAsNumPy(molecule)
    atoms = np.concatenate([graph.atoms for graph in graphs])
    for name, start, lengths in (
        ("atom_offsets", counts["atoms"], [len(graph.atoms) for graph in graphs]),
        ("bond_offsets", counts["directed_bonds"], [len(graph.bonds) for graph in graphs]),
    ):
        writers[name].append(start + np.cumsum(lengths))
    writers["atoms"].append(atoms)
    writers["bond_index"].append(np.concatenate([graph.bond_index for graph in graphs]))
    writers["bonds"].append(np.concatenate([graph.bonds for graph in graphs]))
    writers["ecfp4"].append(np.packbits(bits, axis=1))
    counts["molecules"] += len(chunk)
    counts["atoms"] += len(atoms)
    counts["directed_bonds"] += sum(len(graph.bonds) for graph in graphs)
    counts["unknown_atoms"] += int((atoms[:, 0] == UNKNOWN_ATOM).sum())
    counts["other_bonds"] += sum(graph.other_bonds for graph in graphs)
