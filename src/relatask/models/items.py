"""Items of a user's as the rows that a model reads, and why the others cannot be read."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.plugins import InputRecord, input_records, load_file
from relatask.core.records import suggest
from relatask.inputs.cells import are_whole
from relatask.models.trained_model import TrainedModel

if TYPE_CHECKING:
    from relatask.data.standardise import Limits

VECTORS, VECTOR = "vectors", "vector"  # the input, and the column of items that it is made from
NEEDS_VECTORS = (
    "the model reads vectors that the source gives; give a table of the items with the column `vector`, or "
    "on the command line their file (--embedding)."
)


class ReadItems(NamedTuple):
    """Items as a model reads them.

    Attributes:
        table: of those that can be predicted.
        reasons: for each item why it cannot be, or None.
    """

    table: pd.DataFrame
    reasons: list[str | None]


def as_items(items: Sequence[str] | pd.DataFrame | ReadItems, model: TrainedModel) -> ReadItems:
    """Return a table of those items that can be predicted, and for each item why not, or None.

    Items that were read before are returned as they are. SMILES are standardised as those of training. Of
    other items, the input's file may say by `unusable(items)` why it cannot read them. An item that the model
    was trained on has its id there, any other one that follows from its content: what a method draws for an
    item depends on no other item.
    """
    if isinstance(items, ReadItems):
        return items
    read = _inputs_of(model)
    record = _first(read)
    column = record.column if record else "smiles"  # of a model that reads labels alone, any will do
    given = isinstance(items, pd.DataFrame)
    if any(one.name == VECTORS for one in read) and not (given and VECTOR in items):
        raise RelataskError(NEEDS_VECTORS)
    if not isinstance(items, pd.DataFrame):
        if record and not column:
            raise RelataskError(
                f"the model reads {record.summary}; give a table of the items, not a list: docs/models.md "
                "says with which columns."
            )
        items = pd.DataFrame({column: list(items)})
    if record and column and column not in items:
        hint = suggest(column, [str(name) for name in items])
        raise RelataskError(f"the table has no column {column!r}, which the model reads.{hint}")
    if column != "smiles" or "smiles" not in items or "item_id" in items:
        return _as_given(items, read)
    return _standardised(items, read, model)


def _as_given(items: pd.DataFrame, read: Sequence[InputRecord]) -> ReadItems:
    """Return items that need no standardising, each with an id."""
    table, record = items.reset_index(drop=True), _first(read)
    if record and record.whole and not record.column and "item_id" not in table:  # a graph, or many
        raise RelataskError("the table has no column 'item_id', by which nodes name their neighbours.")
    if "item_id" not in table:
        contents = (b"\0".join(map(_as_bytes, row)) for row in table.itertuples(index=False))
        table = table.assign(item_id=np.array([_id_of(content) for content in contents], np.int64))
    table = table.assign(item_id=_whole_ids(table["item_id"]))
    why = _unusable(read, table)
    return ReadItems(table[[reason is None for reason in why]].reset_index(drop=True), why)


def _standardised(items: pd.DataFrame, read: Sequence[InputRecord], model: TrainedModel) -> ReadItems:
    """Return molecules of the column `smiles` as those of training, with vectors where there are some."""
    from relatask.data.standardise import Rejection, standardise_all
    from relatask.inputs.features import CANONICAL

    found = []
    reasons = _unusable([one for one in read if one.column != "smiles"], items)
    texts = [text if isinstance(text, str) else None for text in items["smiles"]]
    # which keeps RDKit from printing what the reasons say
    for place, result in standardise_all(texts, limits_of(model), scaffold=False):
        if isinstance(result, Rejection):
            reasons[place] = str(result)
        elif reasons[place] is None:
            found.append(result.smiles)
    ids = [_id_of(text.encode()) for text in found]
    table = pd.DataFrame({"item_id": np.array(ids, np.int64), "smiles": found, CANONICAL: True})
    if VECTOR in items:
        own = [vector for vector, why in zip(items[VECTOR], reasons, strict=True) if why is None]
        table[VECTOR] = pd.Series(own, dtype=object)
    return ReadItems(table, reasons)


def limits_of(model: TrainedModel) -> "Limits":
    """Return how a model's molecules are standardised, of any size."""
    from relatask.data.standardise import Limits

    how = {"neutralise": False, "fragments": "largest", **model.record.standardised}
    return Limits(min_heavy_atoms=1, min_weight=0.0, max_weight=float("inf"), **how)


def _inputs_of(model: TrainedModel) -> list[InputRecord]:
    """Return what the items of a model are read as; nothing where it reads labels alone."""
    while model.members:
        model = model.members[0]
    return [input_records()[name] for name in model.record.inputs]


def _first(read: Sequence[InputRecord]) -> InputRecord | None:
    """Return the input that is made of a column that a user knows, else any; None: there is none."""
    return next((one for one in read if one.column), read[0] if read else None)


def _unusable(read: Sequence[InputRecord], items: pd.DataFrame) -> list[str | None]:
    """Return for each item why some input cannot read it, or None."""
    found: list[str | None] = [None] * len(items)
    for one in read:
        reasons_of = getattr(load_file(one), "unusable", None)
        if reasons_of is not None:
            found = [why or own for why, own in zip(found, reasons_of(items), strict=True)]
    return found


def column_of(model: TrainedModel) -> str:
    """Return the column that the items of a model are made from, "" where that is more than one.

    Of molecules that are read by an embedding it is `smiles`, by which their vectors are found.
    """
    record = _first(_inputs_of(model))
    if record and record.name == VECTORS and model.record.standardised:
        return "smiles"
    return record.column if record else "smiles"


def reads_vectors(model: TrainedModel) -> bool:
    """Whether a model reads a vector of each item that its source, or user, gives."""
    return any(one.name == VECTORS for one in _inputs_of(model))


def _whole_ids(given: pd.Series) -> np.ndarray:
    """Return the ids int64 [n] of items.

    Raises:
        RelataskError: one is no whole number.
    """
    numbers = pd.to_numeric(given, errors="coerce")
    wrong = ~are_whole(numbers.to_numpy(np.float64, na_value=np.nan))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise RelataskError(
            f"item_id, row {row + 1} of {len(given)}: {given.iloc[row]!r} is no whole number; number items."
        )
    return numbers.to_numpy(np.int64)


def _id_of(content: bytes) -> int:
    """Return an id of an item, beyond those of any table: 62 bits of a digest of its content."""
    return (int.from_bytes(hashlib.sha256(content).digest()[:8]) >> 2) | 2**40


def _as_bytes(cell: object) -> bytes:
    """Return what a cell of a table of items holds: bytes, numbers of a vector, or anything as text."""
    if isinstance(cell, bytes):
        return cell
    return np.asarray(cell).tobytes() if isinstance(cell, np.ndarray | list | tuple) else str(cell).encode()
