"""Molecules as fingerprints: 2,048 bits of ECFP4."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import Tensor

INPUT = {"summary": "2,048 bits of ECFP4 of molecules", "column": "smiles", "flat": True}
VERSION = 1
RADIUS, BITS = 2, 2048


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return ecfp4, uint8 [n, 256]: the bits of molecules, from their `smiles`, packed by np.packbits."""
    from rdkit.Chem import rdFingerprintGenerator

    from relatask.inputs.features import with_rings

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    molecules = with_rings(items)
    bits = np.empty((len(molecules), BITS), dtype=np.uint8)
    for row, molecule in enumerate(molecules):
        bits[row] = generator.GetFingerprintAsNumPy(molecule)
    return {"ecfp4": np.packbits(bits, axis=1)}


def facts() -> dict[str, Any]:
    """Return what features.json says of the fingerprints."""
    import rdkit

    kind = {"kind": "morgan", "radius": RADIUS, "bits": BITS}
    return {"fingerprint": kind, "rdkit": rdkit.__version__}


@dataclass(frozen=True)
class Fingerprints:
    """ECFP bits, packed eight to a byte until a batch needs them."""

    packed: "Tensor"  # uint8 [n_molecules, n_bits / 8]
    bits_of: "Tensor"  # float32 [256, 8]: the bits of a byte, first bit first, as np.packbits writes them

    def __len__(self) -> int:
        """Number of molecules."""
        return len(self.packed)

    @property
    def n_columns(self) -> int:
        """Number of bits."""
        return 8 * self.packed.shape[1]

    def batch(self, rows: "Tensor") -> "Tensor":
        """Return the bits of the molecules at positions `rows` as float32 [B, n_bits] of 0 and 1."""
        return self.bits_of[self.packed[rows].long()].flatten(1)


def load(folder: Path, device: "torch.device | str" = "cpu") -> Fingerprints:
    """Read the packed bits of a `features` folder and put them on `device`."""
    import torch

    path = folder / "ecfp4.npy"
    packed = torch.from_numpy(np.array(read_array(path)))
    if packed.dtype != torch.uint8 or packed.ndim != 2:
        raise RelataskError(f"{path} holds no packed bits; delete it and run featurise_items again.")
    bytes_ = np.arange(256, dtype=np.uint8)[:, None]
    bits_of = torch.from_numpy(np.unpackbits(bytes_, axis=1).astype(np.float32))
    return Fingerprints(packed.to(device), bits_of.to(device))
