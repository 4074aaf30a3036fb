"""Molecules as graphs with chemprop's features of atoms and bonds, stored flat and as numbers of categories.

The features are chemprop's "V2" of atoms (`MultiHotAtomFeaturizer.v2`, 72 numbers) and its 14 of bonds;
chemprop need not be installed, and tests compare with it where it is. Of what chemprop writes as 0 and 1 the
place of the 1 is kept, 11 bytes an atom instead of 288; `inputs.bond_graph_batch` writes them out.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relatask.inputs.bond_features import (
    BOND_TYPES,
    CHARGES,
    CHIRALITIES,
    DEGREES,
    ELEMENTS,
    HYBRIDIZATIONS,
    HYDROGENS,
    MASS_SCALE,
    STEREOS,
)

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from relatask.inputs.bond_graph_batch import BondGraphs

INPUT = {"summary": "atoms and bonds of molecules with chemprop's features", "column": "smiles"}
VERSION = 1


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return the graphs of molecules, from their `smiles`.

    Returns:
        bond_graph_atoms: uint8 [n_atoms, 7]: place of the element, degree, charge, chirality, hydrogens and
            hybridization among their values, and whether the atom is aromatic.
        bond_graph_masses: float32 [n_atoms], in hundreds of Da, as chemprop scales them.
        bond_graph_atom_offsets: int64 [n + 1]; molecule m has atoms [offset m, offset m + 1).
        bond_graph_index: int32 [n_bonds, 2], begin and end of each bond, counted within the molecule.
        bond_graph_bonds: uint8 [n_bonds, 4]: type (4: another one), conjugated, in a ring, stereo.
        bond_graph_bond_offsets: int64 [n + 1].
    """
    from relatask.inputs.features import parsed

    atoms, masses, bonds, n_atoms, n_bonds = [], [], [], [0], [0]
    for molecule in parsed(items):
        for index in range(molecule.GetNumAtoms()):  # GetAtoms() takes twice the time
            atom = molecule.GetAtomWithIdx(index)
            atoms.append(
                (
                    atom.GetAtomicNum(),
                    atom.GetTotalDegree(),
                    atom.GetFormalCharge(),
                    int(atom.GetChiralTag()),
                    atom.GetTotalNumHs(),
                    int(atom.GetHybridization()),
                    atom.GetIsAromatic(),
                )
            )
            masses.append(MASS_SCALE * atom.GetMass())
        for bond in molecule.GetBonds():
            bonds.append(
                (
                    bond.GetBeginAtomIdx(),
                    bond.GetEndAtomIdx(),
                    int(bond.GetBondType()),
                    bond.GetIsConjugated(),
                    bond.IsInRing(),
                    int(bond.GetStereo()),
                )
            )
        n_atoms.append(len(atoms))
        n_bonds.append(len(bonds))
    table = np.array(bonds, np.int64).reshape(-1, 6)
    table[:, 2] = _places(table[:, 2], _values("BondType", BOND_TYPES))
    table[:, 5] = np.minimum(table[:, 5], STEREOS)
    return {
        "bond_graph_atoms": _coded(np.array(atoms, np.int64).reshape(-1, 7)),
        "bond_graph_masses": np.array(masses, np.float32),
        "bond_graph_atom_offsets": np.array(n_atoms, np.int64),
        "bond_graph_index": table[:, :2].astype(np.int32),
        "bond_graph_bonds": table[:, 2:].astype(np.uint8),
        "bond_graph_bond_offsets": np.array(n_bonds, np.int64),
    }


def facts() -> dict[str, Any]:
    """Return what features.json says of the graphs."""
    import rdkit

    return {"bond_graph": {"atoms": "chemprop V2", "bonds": "chemprop"}, "rdkit": rdkit.__version__}


def load(folder: Path, device: "torch.device | str" = "cpu") -> "BondGraphs":
    """Read the graphs of a `features` folder."""
    from relatask.inputs.bond_graph_batch import BondGraphs

    return BondGraphs.load(folder, device)


def _coded(atoms: np.ndarray) -> np.ndarray:
    """Return atoms [n, 7] as places of their values, uint8."""
    known = (ELEMENTS, DEGREES, CHARGES, CHIRALITIES, HYDROGENS, _values("HybridizationType", HYBRIDIZATIONS))
    columns = [_places(atoms[:, column], values) for column, values in enumerate(known)]
    return np.stack([*columns, atoms[:, 6]], 1).astype(np.uint8)


def _values(kind: str, names: tuple[str, ...]) -> tuple[int, ...]:
    """Return the numbers of names of an enumeration of RDKit."""
    from rdkit import Chem

    return tuple(int(getattr(getattr(Chem, kind), name)) for name in names)


def _places(found: np.ndarray, known: tuple[int, ...]) -> np.ndarray:
    """Return the place of each value among the known ones, len(known) where it is another one."""
    order = np.argsort(known)
    ranked = np.array(known)[order]
    place = np.searchsorted(ranked, found).clip(max=len(known) - 1)
    return np.where(ranked[place] == found, order[place], len(known))
