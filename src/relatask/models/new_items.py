"""Items that a model is asked about, whose arrays are made once for all models that read them."""

from collections.abc import Iterable

import pandas as pd
import torch
from torch import Tensor

from relatask.inputs.arrays import CHUNK, Part, featurise


class NewItems:
    """A table of items, and what inputs make of it.

    The members of an ensemble and a model's prior read the same input, and to parse a molecule takes longer
    than to send it through a network.
    """

    def __init__(self, table: pd.DataFrame):
        """Keep a table.

        Args:
            table: with `item_id` and the columns that inputs are made from, e.g. `smiles`.
        """
        self.table = table
        self._parts: dict[str, list[Part]] = {}

    def __len__(self) -> int:
        """Number of items."""
        return len(self.table)

    def make(self, inputs: Iterable[str]) -> None:
        """Make what inputs make of the items, all at once, so that a molecule is parsed once for them."""
        missing = [name for name in dict.fromkeys(inputs) if name not in self._parts]
        if missing:
            starts = range(0, len(self.table), CHUNK)
            found = [featurise(self.table.iloc[start : start + CHUNK], missing) for start in starts]
            self._parts.update({name: [part.of(name) for part in found] for name in missing})

    def parts(self, inputs: Iterable[str]) -> list[Part]:
        """Return what inputs make of the items, in their order."""
        wanted = list(inputs)
        self.make(wanted)
        return [Part.beside(own) for own in zip(*(self._parts[name] for name in wanted), strict=True)]


def ids_of(items: pd.DataFrame) -> Tensor:
    """Return the ids of items, int64 [n]."""
    return torch.tensor(items["item_id"].to_numpy(), dtype=torch.int64)
