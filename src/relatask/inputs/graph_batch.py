"""Molecular graphs as flat tensors; a batch of them is a handful of index operations.

All molecules lie one after the other. Neighbour lists, self loops included, are sorted by the atom that
receives, so the sum over neighbours is one segment sum; and because a bond embedding depends only on the
bond's kind, the sum of an atom's bond embeddings is its count of each kind times the table of kinds.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array
from relatask.inputs.ragged import ragged

N_ATOMIC_NUMBERS = 120  # 1..118 and masked (Hu et al., 2019)
N_CHIRALITIES = 4
N_BOND_TYPES = 6  # single, double, triple, aromatic, self loop, masked
N_BOND_DIRECTIONS = 3
SELF_LOOP = 4
N_BOND_KINDS = N_BOND_TYPES + N_BOND_DIRECTIONS  # columns of the counts: types, then directions


@dataclass(frozen=True)
class GraphBatch:
    """B molecules with N atoms in total; E directed bonds and N self loops lead to them."""

    atoms: Tensor  # int64 [N]: 4 * atomic number index + chirality
    neighbours: Tensor  # int32 [E + N]: atoms of the batch, grouped by receiving atom, itself first
    neighbour_offsets: Tensor  # int32 [N + 1]: where an atom's neighbours begin
    bond_counts: Tensor  # float32 [N, 9]: bonds of each type and direction at an atom, self loop included
    molecules: Tensor  # int64 [N]: position in the batch of the atom's molecule
    molecule_offsets: Tensor  # int32 [B + 1]: where a molecule's atoms begin

    def __len__(self) -> int:
        """Number of molecules."""
        return len(self.molecule_offsets) - 1


@dataclass(frozen=True)
class MoleculeGraphs:
    """All molecules of a data set on one device."""

    atoms: Tensor  # int16 [n_atoms]
    bond_counts: Tensor  # uint8 [n_atoms, 9]
    degrees: Tensor  # uint8 [n_atoms], self loop included
    neighbours: Tensor  # int32 [n_bonds + n_atoms], positions within the molecule
    atom_offsets: Tensor  # int64 [n_molecules + 1]
    neighbour_offsets: Tensor  # int64 [n_molecules + 1]

    def __len__(self) -> int:
        """Number of molecules."""
        return len(self.atom_offsets) - 1

    def batch(self, rows: Tensor) -> GraphBatch:
        """Return the molecules at positions `rows` (int64 [B]) in that order."""
        atoms, molecules, starts = ragged(self.atom_offsets, rows)
        entries, owner, _ = ragged(self.neighbour_offsets, rows)
        offsets = torch.zeros(len(atoms) + 1, dtype=torch.int32, device=rows.device)
        torch.cumsum(self.degrees[atoms], 0, dtype=torch.int32, out=offsets[1:])
        first = starts.to(torch.int32)
        return GraphBatch(
            atoms=self.atoms[atoms].long(),
            neighbours=self.neighbours[entries] + first[:-1][owner],
            neighbour_offsets=offsets,
            bond_counts=self.bond_counts[atoms].float(),
            molecules=molecules,
            molecule_offsets=first,
        )

    @classmethod
    def from_arrays(
        cls,
        atoms: np.ndarray,
        atom_offsets: np.ndarray,
        bond_index: np.ndarray,
        bonds: np.ndarray,
        bond_offsets: np.ndarray,
        device: torch.device | str = "cpu",
    ) -> "MoleculeGraphs":
        """Sort neighbours by receiving atom, add self loops and count bond kinds, without a Python loop.

        Args:
            atoms: uint8 [n_atoms, 2], atomic number index and chirality.
            atom_offsets: int64 [n_molecules + 1].
            bond_index: int32 [n_bonds, 2], source and target within the molecule, both directions.
            bonds: uint8 [n_bonds, 2], type and direction.
            bond_offsets: int64 [n_molecules + 1].
            device: where the tensors shall lie.

        Raises:
            RelataskError: the arrays do not fit together, a value is outside its vocabulary, or a bond
                leaves its molecule.
        """
        _check_offsets(atom_offsets, bond_offsets, len(atoms), len(bonds), len(bond_index))
        sizes, n_atoms = np.diff(atom_offsets), len(atoms)
        owner = np.repeat(np.arange(len(sizes)), np.diff(bond_offsets))
        _check_vocabulary(atoms, bonds, bond_index, sizes[owner])
        own = np.arange(n_atoms) - np.repeat(atom_offsets[:-1], sizes)
        target = bond_index[:, 1] + atom_offsets[owner]
        receiver = np.concatenate([np.arange(n_atoms), target])
        order = np.argsort(receiver, kind="stable")  # an atom's self loop comes first
        neighbours = np.concatenate([own, bond_index[:, 0]]).astype(np.int32)[order]
        counts = np.zeros((n_atoms, N_BOND_KINDS), np.uint8)
        for kind, column in [(kind, 0) for kind in range(N_BOND_TYPES)] + [(kind, 1) for kind in range(3)]:
            selected = target[bonds[:, column] == kind]
            counts[:, kind + column * N_BOND_TYPES] = np.bincount(selected, minlength=n_atoms)
        counts[:, [SELF_LOOP, N_BOND_TYPES]] += 1

        def put(values: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values)).to(device)

        return cls(
            atoms=put(atoms[:, 0].astype(np.int16) * N_CHIRALITIES + atoms[:, 1]),
            bond_counts=put(counts),
            degrees=put(np.bincount(receiver, minlength=n_atoms).astype(np.uint8)),
            neighbours=put(neighbours),
            atom_offsets=put(np.array(atom_offsets, np.int64)),
            neighbour_offsets=put(np.array(atom_offsets, np.int64) + np.array(bond_offsets, np.int64)),
        )

    @classmethod
    def load(cls, folder: Path, device: torch.device | str = "cpu") -> "MoleculeGraphs":
        """Read the arrays of a `features` folder, memory-mapped, and put them on `device`."""
        names = ("atoms", "atom_offsets", "bond_index", "bonds", "bond_offsets")
        atoms, atom_offsets, bond_index, bonds, bond_offsets = (
            read_array(folder / f"{name}.npy") for name in names
        )
        return cls.from_arrays(atoms, atom_offsets, bond_index, bonds, bond_offsets, device)


def _check_offsets(atom_offsets: np.ndarray, bond_offsets: np.ndarray, *lengths: int) -> None:
    """Refuse offsets that do not cut the arrays (of n atoms, n bonds, n bonds) into molecules."""
    n_atoms, n_bonds, n_pairs = lengths
    fits = len(atom_offsets) == len(bond_offsets) > 0 and n_pairs == n_bonds
    for offsets, length in ((atom_offsets, n_atoms), (bond_offsets, n_bonds)):
        fits = fits and offsets[0] == 0 and offsets[-1] == length and bool((np.diff(offsets) >= 0).all())
    if not fits:
        raise RelataskError(
            f"features: the offsets of {len(atom_offsets) - 1} molecules do not fit {n_atoms} atoms and "
            f"{n_bonds} bonds; delete the features folder and run the step featurise_items again."
        )


def _check_vocabulary(
    atoms: np.ndarray, bonds: np.ndarray, bond_index: np.ndarray, sizes: np.ndarray
) -> None:
    """Refuse what would read outside a table; `sizes` [n_bonds] is the size of each bond's molecule."""
    limits = (
        ("atomic numbers", atoms[:, 0], N_ATOMIC_NUMBERS),
        ("chiralities", atoms[:, 1], N_CHIRALITIES),
        ("bond types", bonds[:, 0], N_BOND_TYPES),
        ("bond directions", bonds[:, 1], N_BOND_DIRECTIONS),
    )
    for name, values, limit in limits:
        if len(values) and values.max() >= limit:
            raise RelataskError(
                f"features: {name} reach {values.max()}, but the vocabulary has {limit} entries (0 to "
                f"{limit - 1}); delete the features folder and run the step featurise_items again."
            )
    if len(bonds) and not (bond_index.min() >= 0 and (bond_index < sizes[:, None]).all()):
        raise RelataskError(
            "features: bond_index leaves its molecule; delete the features folder and run the step "
            "featurise_items again."
        )
