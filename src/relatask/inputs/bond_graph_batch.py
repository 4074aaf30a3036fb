"""Molecular graphs as chemprop's networks read them: directed bonds, each beside its reverse.

All molecules lie one after the other. Few kinds of atoms and bonds occur, so the features of each kind are
written out once, and a batch looks them up: a handful of index operations, none for each molecule.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array
from relatask.inputs.bond_features import BOND_TYPES, SIZES, STEREOS
from relatask.inputs.ragged import ragged

N_ATOM_FEATURES = sum(SIZES) + 2  # aromatic, mass
N_BOND_FEATURES = 1 + len(BOND_TYPES) + 2 + STEREOS + 1
ARRAYS = ("atoms", "masses", "atom_offsets", "index", "bonds", "bond_offsets")


@dataclass(frozen=True)
class BondGraphBatch:
    """B molecules with N atoms and E directed bonds; the fields are those of chemprop's BatchMolGraph."""

    V: Tensor  # float32 [N, 72], features of atoms
    E: Tensor  # float32 [E, 14], features of bonds
    edge_index: Tensor  # int64 [2, E]: from, to
    rev_edge_index: Tensor  # int64 [E]: position of the reverse of each bond
    batch: Tensor  # int64 [N]: position in the batch of the atom's molecule
    n_molecules: int

    def __len__(self) -> int:
        """Number of molecules."""
        return self.n_molecules


@dataclass(frozen=True)
class BondGraphs:
    """All molecules of a data set on one device."""

    atom_kinds: Tensor  # float32 [kinds, 72]
    atoms: Tensor  # int32 [n_atoms]: its kind
    atom_offsets: Tensor  # int64 [n_molecules + 1]
    bond_kinds: Tensor  # float32 [kinds, 14]
    bonds: Tensor  # int32 [n_bonds]
    index: Tensor  # int32 [n_bonds, 2]: begin and end, positions within the molecule
    bond_offsets: Tensor  # int64 [n_molecules + 1]

    def __len__(self) -> int:
        """Number of molecules."""
        return len(self.atom_offsets) - 1

    def batch(self, rows: Tensor) -> BondGraphBatch:
        """Return the molecules at positions `rows` (int64 [B]) in that order."""
        atoms, molecules, starts = ragged(self.atom_offsets, rows)
        bonds, owner, _ = ragged(self.bond_offsets, rows)
        ends = self.index[bonds].long() + starts[owner, None]
        places = torch.arange(2 * len(bonds), device=rows.device)
        return BondGraphBatch(
            V=self.atom_kinds[self.atoms[atoms]],
            E=self.bond_kinds[self.bonds[bonds]].repeat_interleave(2, 0),
            edge_index=torch.stack([ends, ends.flip(1)], 1).view(-1, 2).T.contiguous(),
            rev_edge_index=places ^ 1,
            batch=molecules,
            n_molecules=len(rows),
        )

    @classmethod
    def load(cls, folder: Path, device: torch.device | str = "cpu") -> "BondGraphs":
        """Read the arrays of a `features` folder and put them on `device`.

        Raises:
            RelataskError: they do not fit together, or a value has no place among its features.
        """
        found = {name: np.array(read_array(folder / f"bond_graph_{name}.npy")) for name in ARRAYS}
        _check(found, folder)
        atoms, bonds = found["atoms"].astype(np.int64), found["bonds"].astype(np.int64)
        masses = found["masses"].astype(np.float32).view(np.int32).astype(np.int64)
        atom_kinds, atom = _kinds(np.column_stack([atoms, masses]), (*SIZES, 2, 2**32))
        bond_kinds, bond = _kinds(bonds, (len(BOND_TYPES) + 1, 2, 2, STEREOS + 1))

        def put(values: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values)).to(device)

        return cls(
            atom_kinds=put(_atom_features(atom_kinds)),
            atoms=put(atom.astype(np.int32)),
            atom_offsets=put(found["atom_offsets"].astype(np.int64)),
            bond_kinds=put(_bond_features(bond_kinds)),
            bonds=put(bond.astype(np.int32)),
            index=put(found["index"].astype(np.int32)),
            bond_offsets=put(found["bond_offsets"].astype(np.int64)),
        )


def _kinds(rows: np.ndarray, sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the different rows of int64 [n, c], and which of them each row is.

    `sizes` are numbers of values of each column; the last column may be negative. All fit 63 bits.
    """
    keys = np.zeros(len(rows), np.int64)
    for column, size in zip(rows.T, sizes, strict=True):
        keys = keys * size + column
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    return rows[first], place


def _atom_features(kinds: np.ndarray) -> np.ndarray:
    """Return the features [n, 72] of atoms int64 [n, 8]: places of the six, aromatic, bits of the mass."""
    found = np.zeros((len(kinds), N_ATOM_FEATURES), np.float32)
    first = np.concatenate([[0], np.cumsum(SIZES)[:-1]])
    np.put_along_axis(found, kinds[:, : len(SIZES)] + first, 1, axis=1)
    found[:, -2] = kinds[:, len(SIZES)]
    found[:, -1] = kinds[:, -1].astype(np.int32).view(np.float32)
    return found


def _bond_features(kinds: np.ndarray) -> np.ndarray:
    """Return the features [n, 14] of bonds int64 [n, 4]: type, conjugated, in a ring, stereo."""
    found = np.zeros((len(kinds), N_BOND_FEATURES), np.float32)
    types = len(BOND_TYPES)
    known = np.flatnonzero(kinds[:, 0] < types)
    found[known, 1 + kinds[known, 0]] = 1
    found[:, 1 + types : 3 + types] = kinds[:, 1:3]
    found[np.arange(len(kinds)), 3 + types + kinds[:, 3]] = 1
    return found


def _check(found: dict[str, np.ndarray], folder: Path) -> None:
    """Refuse arrays that do not fit together, or would read outside a table."""
    atoms, bonds, index = found["atoms"], found["bonds"], found["index"]
    fits = atoms.shape[1:] == (7,) and bonds.shape[1:] == (4,) and index.shape == (len(bonds), 2)
    fits = fits and len(found["masses"]) == len(atoms)
    for name, parts in (("atom_offsets", atoms), ("bond_offsets", bonds)):
        offsets = found[name]
        fits = fits and len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == len(parts)
        fits = fits and bool((np.diff(offsets) >= 0).all())
    fits = fits and len(found["atom_offsets"]) == len(found["bond_offsets"])
    if fits and len(atoms):
        fits = bool((atoms < (*SIZES, 2)).all())
    if fits and len(bonds):
        sizes = np.repeat(np.diff(found["atom_offsets"]), np.diff(found["bond_offsets"]))
        fits = bool((bonds < (len(BOND_TYPES) + 1, 2, 2, STEREOS + 1)).all())
        fits = fits and bool(index.min() >= 0 and (index < sizes[:, None]).all())
    if not fits:
        raise RelataskError(
            f"{folder}: the arrays bond_graph_*.npy do not fit together; delete the folder and run the step "
            "featurise_items again."
        )
