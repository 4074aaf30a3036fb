"""A table of a user's own: molecules whose ends decide their labels, so that there is something to find."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

ENDS = ("O", "N", "C(=O)O", "Cl", "F", "C#N", "c1ccccc1", "C(=O)N", "S", "OC")
STARTS = ("C", "CC", "CCC", "CC(C)C", "C1CCCC1C", "C1CCNCC1C", "c1ccccc1C", "c1ccncc1C", "COC", "C=CC")
LINKS = ("", "C", "CC", "CCC")


def own_table(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """Return columns name, SMILES, the tasks `kinase` and `hERG` (0 and 1) and `logD` (values), with gaps."""
    rng = np.random.default_rng(seed)
    parts = [(start, link, end) for start, link, end in product(STARTS, LINKS, ENDS)]
    chosen = [parts[place] for place in rng.permutation(len(parts))[:n]]
    polar = np.array([ENDS.index(end) < 3 for _, _, end in chosen])
    ring = np.array(["1" in start for start, _, _ in chosen])
    logd = np.round(0.5 * np.array([len("".join(part)) for part in chosen]) - 2.0 * polar, 2)
    table = pd.DataFrame({"name": [f"m{place}" for place in range(len(chosen))]})
    table["SMILES"] = ["".join(part) for part in chosen]
    for name, labels in (("kinase", polar.astype(int)), ("hERG", ring.astype(int)), ("logD", logd)):
        table[name] = pd.Series(labels, dtype=object).where(rng.random(len(chosen)) > 0.2)
    return table


def write_own_table(folder: Path, n: int = 200, name: str = "assays.csv") -> Path:
    """Write the table as CSV and return its path."""
    path = folder / name
    own_table(n).to_csv(path, index=False)
    return path
