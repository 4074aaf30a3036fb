"""Items as vectors that their source gives: attributes of nodes, counts of words, embeddings."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array
from relatask.inputs.cells import numbers_in
from relatask.inputs.fitted import FittedInput

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import Tensor

INPUT = {"summary": "vectors that the source gives, in the column `vector` of the items", "flat": True}
VERSION = 2
NO_VECTOR = "no embedding"


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


def unusable(items: "pd.DataFrame") -> list[str | None]:
    """Return for each item why it has no vector, or None."""
    if "vector" not in items:
        return [None] * len(items)
    return [NO_VECTOR if cell is None or cell is np.nan else None for cell in items["vector"]]


def _numbers(cell: object, item: int) -> np.ndarray:
    found = numbers_in(cell)
    if found is None:
        raise RelataskError(f"the vector of the item {item} is {cell!r:.60}; give a list of numbers.")
    return found


@dataclass(frozen=True)
class Vectors(FittedInput):
    """A vector for each item; a trained model keeps how long they are."""

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

    def fitted(self, rows: "Tensor") -> "Vectors":
        """Return the vectors: items teach nothing but their length."""
        return self

    @property
    def learned(self) -> dict[str, Any]:
        """The length of the vectors."""
        return {"width": self.n_columns}

    def with_learned(self, learned: dict[str, Any]) -> "Vectors":
        """Return the vectors, which must be as long as those that a model was trained on.

        Raises:
            RelataskError: they are not.
        """
        if learned.get("width") != self.n_columns:
            raise RelataskError(
                f"the model reads vectors of {learned.get('width')} numbers and these have {self.n_columns}; "
                "make them as those of training."
            )
        return self


def load(folder: Path, device: "torch.device | str" = "cpu") -> Vectors:
    """Read the vectors of a `features` folder and put them on `device`."""
    import torch

    return Vectors(torch.from_numpy(np.array(read_array(folder / "vectors.npy"))).to(device))
