"""Nodes as their own vector beside the mean of their friends'."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from relatask.inputs.arrays import read_array

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

INPUT = {"summary": "vectors of nodes and the mean of their friends'", "form": "vectors"}
VERSION = 1


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return the vectors [n, d] of nodes, and the item ids of their friends one after the other."""
    return {
        "node_vectors": np.stack(items["vector"].tolist()).astype(np.float32),
        "friends": np.concatenate(items["friends"].tolist()).astype(np.int64),
        "friend_offsets": np.cumsum([0, *items["friends"].map(len)]),
    }


@dataclass(frozen=True)
class Nodes:
    """All nodes of the graph."""

    values: "Tensor"  # float32 [n, 2 d]

    def __len__(self) -> int:
        """Number of nodes."""
        return len(self.values)

    @property
    def n_columns(self) -> int:
        """Length of the vectors, 2 d."""
        return self.values.shape[1]

    def batch(self, rows: "Tensor") -> "Tensor":
        """Return the vectors of nodes at positions `rows`, float32 [B, 2 d]."""
        return self.values[rows]


def load(folder: Path, device: str = "cpu") -> Nodes:
    """Read the arrays of a `features` folder."""
    import torch

    names = ("node_vectors", "friends", "friend_offsets")
    vectors, friends, offsets = (np.array(read_array(folder / f"{name}.npy")) for name in names)
    mean = np.add.reduceat(vectors[friends], offsets[:-1]) / np.diff(offsets)[:, None]
    return Nodes(torch.from_numpy(np.concatenate([vectors, mean], axis=1)).float().to(device))
