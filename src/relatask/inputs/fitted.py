"""Inputs that learn something from the training items before anything is trained, such as a list of words.

The arrays of an input are made of all items, before any split. What is read of them may depend on training
items alone, or held-out items would decide something: so an input that says what is known and what is not
says it anew under each split. A trained model keeps what its input learned, to read new items by it. Of a
graph all nodes and edges are there in training, and only labels are held out: all nodes teach.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from torch import Tensor


class FittedInput(ABC):
    """An input whose batches can be read once it is fitted, by training items or by what was learned."""

    @abstractmethod
    def fitted(self, rows: "Tensor") -> Self:
        """Return the input as the training items at positions `rows` (int64 [n]) teach it, and no label."""

    @property
    @abstractmethod
    def learned(self) -> dict[str, Any]:
        """What it learned, as plain values for JSON."""

    @abstractmethod
    def with_learned(self, learned: dict[str, Any]) -> Self:
        """Return the input, of the same or of other items, as what `learned` says was learned."""


def fitted(inputs: Any, rows: "Tensor") -> Any:
    """Return an input as training items at positions `rows` teach it; most inputs learn nothing."""
    return inputs.fitted(rows) if isinstance(inputs, FittedInput) else inputs
