"""Texts as counts of words, in as many columns as words have numbers."""

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from relatask.inputs.arrays import read_array
from relatask.inputs.vectors import Vectors

if TYPE_CHECKING:
    import pandas as pd

INPUT = {"summary": "counts of words, hashed into 64 columns", "form": "vectors"}
VERSION = 1
COLUMNS = 64


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return the counts float32 [n, 64] of the words of the column `text`."""
    counts = np.zeros((len(items), COLUMNS), np.float32)
    for row, text in enumerate(items["text"]):
        for word in text.lower().split():
            counts[row, zlib.crc32(word.encode()) % COLUMNS] += 1
    return {"word_counts": counts}


def load(folder: Path, device: str = "cpu") -> Vectors:
    """Read the counts of a `features` folder."""
    import torch

    return Vectors(torch.from_numpy(np.array(read_array(folder / "word_counts.npy"))).to(device))
