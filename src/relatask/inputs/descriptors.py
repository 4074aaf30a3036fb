"""Molecules as RDKit's 2D descriptors, which the training items teach to read on one scale."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from relatask.inputs.descriptor_table import Descriptors

INPUT = {
    "summary": "RDKit's 2D descriptors of molecules, as shares of the training molecules below",
    "flat": True,
    "column": "smiles",
}
VERSION = 1
NAMES = "descriptor_names"
HUGE = 1e30  # beyond it float32 has little room left; e.g. Ipc of a large molecule


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return the descriptors of molecules, from their `smiles`, as RDKit gives them.

    Returns:
        descriptors: float32 [n, d], NaN where RDKit has no finite value, else from -1e30 to 1e30.
        And as counts descriptors_undefined, such cells, and descriptors_huge, those that were cut to 1e30.
    """
    from rdkit import rdBase
    from rdkit.Chem import Descriptors

    from relatask.inputs.features import parsed

    molecules = parsed(items)
    found = np.empty((len(molecules), len(Descriptors.descList)))
    with rdBase.BlockLogs():
        for row, molecule in enumerate(molecules):
            found[row] = list(
                Descriptors.CalcMolDescriptors(molecule, missingVal=np.nan, silent=True).values()
            )
    undefined = ~np.isfinite(found)
    found[undefined] = np.nan
    huge = np.abs(found) > HUGE
    return {
        "descriptors": np.clip(found, -HUGE, HUGE).astype(np.float32),
        "descriptors_undefined": np.array(undefined.sum()),
        "descriptors_huge": np.array(huge.sum()),
    }


def facts() -> dict[str, Any]:
    """Return what features.json says of the descriptors."""
    import rdkit
    from rdkit.Chem import Descriptors

    return {NAMES: [name for name, _ in Descriptors.descList], "rdkit": rdkit.__version__}


def load(folder: Path, device: "torch.device | str" = "cpu") -> "Descriptors":
    """Read the descriptors of a `features` folder; they have no scale yet, see `fitted`."""
    from relatask.core.files import read_json
    from relatask.inputs.descriptor_table import Descriptors

    raw = np.array(read_array(folder / "descriptors.npy"))
    record = read_json(folder / "features.json")
    names = record.get(NAMES)
    if not isinstance(names, list) or raw.ndim != 2 or raw.shape[1] != len(names):
        raise RelataskError(f"{folder} does not name the descriptors that it holds; delete it and run again.")
    return Descriptors(raw, tuple(map(str, names)), str(record.get("rdkit")), device)
