"""Points in time as the measured values of all series, of which encoders read windows."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from relatask.inputs.arrays import read_array

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import Tensor

INPUT = {"summary": "measured values of all series at points in time"}
VERSION = 1


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return series, float32 [n, T], from the column `values` of points in time."""
    return {"series": np.stack(items["values"].tolist()).astype(np.float32)}


@dataclass(frozen=True)
class Series:
    """Measured values at points in time, which are the items."""

    values: "Tensor"  # float32 [n_points, T], standardised

    def __len__(self) -> int:
        """Number of points."""
        return len(self.values)

    def batch(self, rows: "Tensor") -> "Tensor":
        """Return the values at positions `rows`, float32 [B, T]."""
        return self.values[rows]

    def windows(self, starts: "Tensor", length: int) -> "Tensor":
        """Return `length` values from each of `starts` (int64 [B]) on, float32 [B, length, T]."""
        import torch

        return self.values[starts[:, None] + torch.arange(length, device=starts.device)]


def load(folder: Path, device: "torch.device | str" = "cpu") -> Series:
    """Read the values of a `features` folder and put them on `device`."""
    import torch

    return Series(torch.from_numpy(np.array(read_array(folder / "series.npy"))).to(device))
