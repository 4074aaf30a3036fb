"""Molecules as counts: how often each of 2,048 folded ECFP4 substructures occurs, as it is, at most 255."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array
from relatask.inputs.ecfp import BITS, RADIUS

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from relatask.inputs.vectors import Vectors

INPUT = {
    "summary": "counts of 2,048 folded ECFP4 substructures of molecules",
    "column": "smiles",
    "flat": True,
}
VERSION = 1
MOST = 255


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return ecfp4_counts, uint8 [n, 2048], of molecules from their `smiles`."""
    from rdkit.Chem import rdFingerprintGenerator

    from relatask.inputs.features import with_rings

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    molecules = with_rings(items)
    counts = np.empty((len(molecules), BITS), np.uint8)
    for row, molecule in enumerate(molecules):
        counts[row] = np.minimum(generator.GetCountFingerprintAsNumPy(molecule), MOST)
    return {"ecfp4_counts": counts}


def facts() -> dict[str, Any]:
    """Return what features.json says of the counts."""
    import rdkit

    return {
        "counts": {"kind": "morgan", "radius": RADIUS, "bits": BITS, "most": MOST},
        "rdkit": rdkit.__version__,
    }


def load(folder: Path, device: "torch.device | str" = "cpu") -> "Vectors":
    """Read the counts of a `features` folder and put them on `device`."""
    import torch

    from relatask.inputs.vectors import Vectors

    path = folder / "ecfp4_counts.npy"
    values = torch.from_numpy(np.array(read_array(path)))
    if values.dtype != torch.uint8 or values.ndim != 2:
        raise RelataskError(f"{path} holds no counts; delete it and run featurise_items again.")
    return Vectors(values.to(device))
