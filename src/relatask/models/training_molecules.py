"""The molecules that a model was trained on, and which of them is nearest to a new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.nearest import NearestKnown

ITEMS = "items.parquet"
COLUMNS = ["item_id", "smiles", "ecfp4"]


@dataclass(frozen=True)
class TrainingMolecules:
    """Molecules, each once.

    Attributes:
        smiles: as standardised, object [n].
        packed: their fingerprints, uint8 [n, 256].
    """

    smiles: np.ndarray
    packed: np.ndarray

    @cached_property
    def _known(self) -> NearestKnown:
        return NearestKnown(self.packed)

    def nearest(self, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest of them to each of the fingerprints uint8 [m, 256].

        Returns:
            Their SMILES, object [m], and the Tanimoto similarities to them, float64 [m].
        """
        similarity, place = self._known.of(packed)
        return self.smiles[place], similarity.astype(np.float64)


def training_molecules(folders: Sequence[Path]) -> TrainingMolecules | None:
    """Return the molecules that models were trained on, None where one does not say them.

    Args:
        folders: of the models.

    Raises:
        RelataskError: a file of fingerprints is none.
    """
    import pyarrow.parquet as pq

    found = []
    for folder in folders:
        path = folder / ITEMS
        if not path.is_file() or not set(COLUMNS) <= set(pq.read_schema(path).names):
            return None
        found.append(pd.read_parquet(path, columns=COLUMNS))
    whole = pd.concat(found, ignore_index=True).drop_duplicates("item_id") if found else pd.DataFrame()
    if not len(whole):
        return None
    lengths = whole["ecfp4"].map(lambda bits: len(bits) if isinstance(bits, bytes) else -1)
    if lengths.nunique() != 1 or lengths.iloc[0] < 1:
        raise RelataskError(f"{folders[0] / ITEMS} holds no fingerprints of one length; get the model anew.")
    packed = np.frombuffer(b"".join(whole["ecfp4"]), np.uint8).reshape(len(whole), -1)
    return TrainingMolecules(whole["smiles"].to_numpy(object), packed)
