"""Molecules as graphs: atoms and bonds as in Hu et al. (2019), stored flat."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from relatask.inputs.graph_batch import MoleculeGraphs

INPUT = {"summary": "atoms and bonds of molecules", "column": "smiles", "form": "graph"}
VERSION = 1


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return the graphs of molecules, from their column `smiles`.

    Returns:
        atoms: uint8 [n_atoms, 2]: index of the atomic number, chirality.
        atom_offsets: int64 [n + 1]; molecule m has atoms [offset m, offset m + 1).
        bond_index: int32 [n_bonds, 2], a row for each direction: source, target, counted within the molecule.
        bonds: uint8 [n_bonds, 2]: type, direction.
        bond_offsets: int64 [n + 1].
        And as counts directed_bonds, unknown_atoms (of no element) and other_bonds (of rare
        types, stored as single).
    """
    from relatask.inputs.features import UNKNOWN_ATOM, graph_of, parsed

    smiles = items["smiles"].tolist()
    graphs = [graph_of(molecule, text) for molecule, text in zip(parsed(items), smiles, strict=True)]
    atoms = np.concatenate([graph.atoms for graph in graphs])
    return {
        "atoms": atoms,
        "atom_offsets": np.cumsum([0, *(len(graph.atoms) for graph in graphs)]),
        "bond_index": np.concatenate([graph.bond_index for graph in graphs]),
        "bonds": np.concatenate([graph.bonds for graph in graphs]),
        "bond_offsets": np.cumsum([0, *(len(graph.bonds) for graph in graphs)]),
        "directed_bonds": np.array(sum(len(graph.bonds) for graph in graphs)),
        "unknown_atoms": np.array((atoms[:, 0] == UNKNOWN_ATOM).sum()),
        "other_bonds": np.array(sum(graph.other_bonds for graph in graphs)),
    }


def facts() -> dict[str, Any]:
    """Return what features.json says of the graphs."""
    import rdkit

    from relatask.inputs.features import VOCABULARY

    return {"vocabulary": VOCABULARY, "rdkit": rdkit.__version__}


def load(folder: Path, device: "torch.device | str" = "cpu") -> "MoleculeGraphs":
    """Read the graphs of a `features` folder."""
    from relatask.inputs.graph_batch import MoleculeGraphs

    return MoleculeGraphs.load(folder, device)
