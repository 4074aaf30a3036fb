"""Items of a user's as the rows that a model reads, and why the others cannot be read."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.plugins import InputRecord, input_records, load_file
from relatask.core.records import suggest
from relatask.inputs.cells import are_whole
from relatask.models.trained_model import TrainedModel


def as_items(
    items: Sequence[str] | pd.DataFrame, model: TrainedModel
) -> tuple[pd.DataFrame, list[str | None]]:
    """Return a table of those items that can be predicted, and for each item why not, or None.

    SMILES are standardised as those of training. Of other items, the input's file may say by
    `unusable(items)` why it cannot read them. An item that the model was trained on has its id there, any
    other one that follows from its content: what a method draws for an item depends on no other item.
    """
    record, column = _input_of(model), column_of(model)
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
        table = items.reset_index(drop=True)
        if record and record.whole and not column and "item_id" not in table:  # a graph, or many
            raise RelataskError("the table has no column 'item_id', by which nodes name their neighbours.")
        if "item_id" not in table:
            contents = (b"\0".join(map(_as_bytes, row)) for row in table.itertuples(index=False))
            table = table.assign(item_id=np.array([_id_of(content) for content in contents], np.int64))
        table = table.assign(item_id=_whole_ids(table["item_id"]))
        reasons_of = getattr(load_file(record), "unusable", None) if record else None
        why = reasons_of(table) if reasons_of else [None] * len(table)
        return table[[reason is None for reason in why]].reset_index(drop=True), why
    from relatask.data.standardise import Limits, Rejection, standardise_all

    how = {"neutralise": False, "fragments": "largest", **model.record.standardised}
    limits = Limits(min_heavy_atoms=1, min_weight=0.0, max_weight=float("inf"), **how)
    found, reasons = [], []
    texts = [text if isinstance(text, str) else None for text in items["smiles"]]
    for _, result in standardise_all(
        texts, limits, scaffold=False
    ):  # which keeps RDKit from printing what the reasons say
        reasons.append(str(result) if isinstance(result, Rejection) else None)
        if not isinstance(result, Rejection):
            found.append(result.smiles)
    ids = [_id_of(text.encode()) for text in found]
    return pd.DataFrame({"item_id": np.array(ids, np.int64), "smiles": found}), reasons


def _input_of(model: TrainedModel) -> InputRecord | None:
    """Return what the items of a model are read as, None where it reads labels alone."""
    while model.members:
        model = model.members[0]
    return next((input_records()[name] for name in model.record.inputs), None)


def column_of(model: TrainedModel) -> str:
    """Return the column that the items of a model are made from, "" where that is more than one."""
    record = _input_of(model)
    return record.column if record else "smiles"  # of a model that reads labels alone, any will do


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
