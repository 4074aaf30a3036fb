"""Vectors of molecules that a user made, found by the molecule or by the source's id of a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.data.standardise import Limits, Rejection, standardise_all


@dataclass(frozen=True)
class Embedding:
    """Vectors of one width.

    Attributes:
        path: of their file, for messages.
        places: standardised SMILES, or id -> row of `vectors`.
        vectors: float32 [m, d].
        by_id: whether places are of ids.
        counts: facts for counts.json: rows, width, and rows that no molecule can be found by.
    """

    path: Path
    places: Mapping[str, int]
    vectors: np.ndarray
    by_id: bool = False
    counts: Mapping[str, Any] = field(default_factory=dict)

    def place(self, smiles: str, source_id: str | None) -> int:
        """Return the row of the vector of a standardised molecule; -1: it has none."""
        return self.places.get(source_id or "" if self.by_id else smiles, -1)

    def table_of(self, texts: Sequence[str | None], limits: Limits) -> pd.DataFrame:
        """Return columns `smiles` and `vector` of SMILES as a user writes them; None where there is none."""
        vectors: list[np.ndarray | None] = [None] * len(texts)
        for position, found in standardise_all(texts, limits, scaffold=False):
            if not isinstance(found, Rejection) and (place := self.place(found.smiles, None)) >= 0:
                vectors[position] = self.vectors[place]
        columns = {"smiles": list(texts), "vector": vectors}
        return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


def places_of(keys: Sequence[str | None], vectors: np.ndarray) -> tuple[dict[str, int], dict[str, int]]:
    """Return key -> row of its first vector, and how many rows repeat a key, or differ from its first vector.

    Args:
        keys: of the rows; None: no molecule can be found by it.
        vectors: [m, d].
    """
    places: dict[str, int] = {}
    counts = {"unusable": 0, "repeated": 0, "differing": 0}
    for row, key in enumerate(keys):
        if key is None:
            counts["unusable"] += 1
        elif (first := places.setdefault(key, row)) != row:
            counts["repeated"] += 1
            counts["differing"] += int(not np.array_equal(vectors[first], vectors[row]))
    return places, counts
