"""Several tables of numbers as one: the columns of flat inputs beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from relatask.inputs.fitted import FittedInput, fitted


@dataclass(frozen=True)
class Beside(FittedInput):
    """Flat inputs of the same items, whose batches are [B, d] of each."""

    parts: Mapping[str, Any]  # form -> input, in the order of their columns

    def __len__(self) -> int:
        """Number of items."""
        return min(len(part) for part in self.parts.values())

    @property
    def n_columns(self) -> int:
        """Number of columns of all together."""
        return sum(part.n_columns for part in self.parts.values())

    def batch(self, rows: Tensor) -> Tensor:
        """Return the columns of the items at positions `rows`, float32 [B, sum of d]."""
        return torch.cat([part.batch(rows) for part in self.parts.values()], 1)

    def fitted(self, rows: Tensor) -> "Beside":
        """Return the inputs as the training items at positions `rows` teach them."""
        return Beside({form: fitted(part, rows) for form, part in self.parts.items()})

    @property
    def learned(self) -> dict[str, Any]:
        """Form -> what its input learned, of those that learn."""
        own = {form: part for form, part in self.parts.items() if isinstance(part, FittedInput)}
        return {form: part.learned for form, part in own.items()}

    def with_learned(self, learned: dict[str, Any]) -> "Beside":
        """Return the inputs as what `learned` says was learned."""
        return Beside(
            {
                form: part.with_learned(learned.get(form, {})) if isinstance(part, FittedInput) else part
                for form, part in self.parts.items()
            }
        )
