"""Eqs. 15-16 of SGNN-EBM, appendix B, as they are written: a loop over atoms, a loop over neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

SELF_LOOP = (4, 0)  # bond type, bond direction


@dataclass(frozen=True)
class Molecule:
    """Atoms as (atomic number index, chirality); bonds {(i, j): (type, direction)}, each pair once."""

    atoms: tuple[tuple[int, int], ...]
    bonds: Mapping[tuple[int, int], tuple[int, int]]

    def neighbours(self, atom: int) -> list[tuple[int, tuple[int, int]]]:
        found = [(atom, SELF_LOOP)]
        for (i, j), bond in self.bonds.items():
            if atom in (i, j):
                found.append((j if atom == i else i, bond))
        return found


def random_molecules(sizes: Sequence[int], seed: int = 0) -> list[Molecule]:
    """A random tree with some rings for each size, over the whole vocabulary."""
    rng = np.random.default_rng(seed)
    molecules = []
    for size in sizes:
        pairs = {(int(rng.integers(0, j)), j) for j in range(1, size)}
        pairs |= {(i, i + 2) for i in range(size - 2) if rng.random() < 0.2}
        molecules.append(
            Molecule(
                tuple((int(rng.integers(120)), int(rng.integers(4))) for _ in range(size)),
                {pair: (int(rng.integers(4)), int(rng.integers(3))) for pair in sorted(pairs)},
            )
        )
    return molecules


def as_arrays(molecules: Sequence[Molecule]) -> dict[str, np.ndarray]:
    """The flat arrays of `features/`, written molecule by molecule."""
    atoms: list[tuple[int, int]] = []
    index: list[tuple[int, int]] = []
    bonds: list[tuple[int, int]] = []
    atom_offsets, bond_offsets = [0], [0]
    for molecule in molecules:
        atoms += molecule.atoms
        for (i, j), bond in molecule.bonds.items():
            index += [(i, j), (j, i)]
            bonds += [bond, bond]
        atom_offsets.append(len(atoms))
        bond_offsets.append(len(bonds))
    return {
        "atoms": np.array(atoms, np.uint8).reshape(-1, 2),
        "atom_offsets": np.array(atom_offsets, np.int64),
        "bond_index": np.array(index, np.int32).reshape(-1, 2),
        "bonds": np.array(bonds, np.uint8).reshape(-1, 2),
        "bond_offsets": np.array(bond_offsets, np.int64),
    }


def batch_norm(rows: list[Tensor], weight: Tensor, bias: Tensor) -> list[Tensor]:
    """Statistics over all atoms of the batch, variance with 1 / n."""
    mean = torch.stack(rows).sum(0) / len(rows)
    variance = torch.stack([(row - mean) ** 2 for row in rows]).sum(0) / len(rows)
    return [(row - mean) / torch.sqrt(variance + 1e-5) * weight + bias for row in rows]


def gin(parameters: Mapping[str, Tensor], layers: int, molecules: Sequence[Molecule]) -> Tensor:
    """Encode the molecules as one training batch without dropout: [B, width].

    Args:
        parameters: the encoder's, by name.
        layers: number of layers.
        molecules: B of them.
    """
    places = [(m, i) for m, molecule in enumerate(molecules) for i in range(len(molecule.atoms))]
    numbers, chiralities = parameters["atoms"][:120], parameters["atoms"][120:]
    z = {(m, i): numbers[molecules[m].atoms[i][0]] + chiralities[molecules[m].atoms[i][1]] for m, i in places}
    for k in range(layers):
        layer = {
            name.removeprefix(f"layers.{k}."): p for name, p in parameters.items() if f"layers.{k}." in name
        }
        types, directions = layer["bonds"][:6], layer["bonds"][6:]
        updated = []
        for m, i in places:
            total = torch.zeros_like(z[m, i])
            for j, (kind, direction) in molecules[m].neighbours(i):
                total = total + z[m, j] + types[kind] + directions[direction]
            hidden = torch.relu(layer["up.weight"] @ total + layer["up.bias"])
            updated.append(layer["down.weight"] @ hidden)
        updated = batch_norm(updated, layer["norm_weight"], layer["norm_bias"])
        if k < layers - 1:
            updated = [torch.relu(row) for row in updated]
        z = dict(zip(places, updated, strict=True))
    pooled = []
    for m, molecule in enumerate(molecules):
        atoms = [z[m, i] for i in range(len(molecule.atoms))]
        pooled.append(torch.stack(atoms).sum(0) / len(atoms))
    return torch.stack(pooled)
