"""Items as vectors that their source gives: attributes of nodes, counts of words, embeddings."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array
from relatask.inputs.cells import numbers_in

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import Tensor

INPUT = {"summary": "vectors that the source gives, in the column `vector` of the items", "flat": True}
VERSION = 1


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return vectors, float32 [n, d], from the column `vector`.

    Raises:
        RelataskError: there is no such column, a cell of it is no list of numbers, the vectors differ in
            length, or one holds no finite numbers.
    """
    if "vector" not in items:
        raise RelataskError("the items have no column `vector`; their source must give one.")
    listed = [_numbers(cell, item) for cell, item in zip(items["vector"], items["item_id"], strict=True)]
    lengths = {len(vector) for vector in listed}
    if len(lengths) != 1:
        raise RelataskError(f"the vectors of the items differ in length: {sorted(lengths)[:5]}.")
    vectors = np.stack(listed).astype(np.float32)
    if not np.isfinite(vectors).all():
        item = items["item_id"].iloc[int(np.argmax(~np.isfinite(vectors).all(axis=1)))]
        raise RelataskError(f"the vector of the item {item} holds what is no finite number.")
    return {"vectors": vectors}


def _numbers(cell: object, item: int) -> np.ndarray:
    found = numbers_in(cell)
    if found is None:
        raise RelataskError(f"the vector of the item {item} is {cell!r:.60}; give a list of numbers.")
    return found


@dataclass(frozen=True)
class Vectors:
    """A vector for each item."""

    values: "Tensor"  # float32 [n, d], or of whole numbers uint8

    def __len__(self) -> int:
        """Number of items."""
        return len(self.values)

    @property
    def n_columns(self) -> int:
        """Length of the vectors."""
        return self.values.shape[1]

    def batch(self, rows: "Tensor") -> "Tensor":
        """Return the vectors at positions `rows`, float32 [B, d]."""
        return self.values[rows].float()


def load(folder: Path, device: "torch.device | str" = "cpu") -> Vectors:
    """Read the vectors of a `features` folder and put them on `device`."""
    import torch

    return Vectors(torch.from_numpy(np.array(read_array(folder / "vectors.npy"))).to(device))
