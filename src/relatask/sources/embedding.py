"""A file of vectors of molecules that a user made: which columns are the vectors, and whose they are."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from relatask.core.blocks import Block
from relatask.core.errors import RelataskError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from relatask.data.embedding import Embedding
    from relatask.data.standardise import Limits
    from relatask.sources.table_files import TableFile

log = logging.getLogger(__name__)


class EmbeddingConfig(Block):
    """Vectors of molecules in a table: one column of lists, or a column for each number."""

    path: str = Field(description="the file, Parquet or another table")
    smiles_column: str = Field("smiles", description="column of the SMILES whose vector a row is")
    id_column: str | None = Field(
        None,
        description="column of ids instead, those of the source's `id_column`, by which rows are matched",
    )
    columns: list[str] = Field(
        [],
        description="column of lists, or columns of numbers; default: the only one of lists, else all others",
    )

    @model_validator(mode="after")
    def _one_key(self) -> "EmbeddingConfig":
        if self.id_column is not None and "smiles_column" in self.model_fields_set:
            raise ValueError(
                "id_column: rows are matched by ids or by SMILES; remove id_column or smiles_column"
            )
        return self


def read_embedding(config: EmbeddingConfig, limits: "Limits") -> "Embedding":
    """Read a file of vectors, whose SMILES are standardised as the molecules that they are of.

    Args:
        config: which columns.
        limits: of the source; those of size leave no vector out.

    Raises:
        RelataskError: there is no such file or column, a number is not finite, or lists differ in length.
    """
    from dataclasses import replace

    from relatask.data.embedding import Embedding, places_of
    from relatask.data.standardise import Rejection, standardise_all
    from relatask.sources.table_files import find_column, open_table

    table = open_table(config.path)
    what = "embedding.smiles_column" if config.id_column is None else "embedding.id_column"
    key = find_column(table, config.id_column or config.smiles_column, what)
    keys, vectors = _read(table, key, _columns_of(config, table, key))
    if config.id_column is None:
        every = replace(limits, min_heavy_atoms=1, min_weight=0.0, max_weight=float("inf"))
        found = (result for _, result in standardise_all(keys, every, scaffold=False))
        keys = [None if isinstance(one, Rejection) else one.smiles for one in found]
    places, counts = places_of(keys, vectors)
    facts = {"rows": len(keys), "width": vectors.shape[1], **counts}
    log.info(
        "%s: %d vectors of %d numbers; %d rows name no molecule, %d one of a row above (of %d "
        "with other numbers the first counts).", config.path, len(places), facts["width"], *counts.values(),
    )  # fmt: skip
    return Embedding(Path(config.path), places, vectors, config.id_column is not None, facts)


def _columns_of(config: EmbeddingConfig, table: "TableFile", key: str) -> list[str]:
    """Return the columns that hold the vectors: one of lists, or those of numbers.

    Raises:
        RelataskError: one that is named is not there, or it is not clear which are meant.
    """
    import pyarrow as pa

    from relatask.sources.table_files import find_column

    if config.columns:
        return [find_column(table, name, "embedding.columns") for name in config.columns]
    others = [name for name in table.names if name != key]
    first = next(iter(table.batches(others)), None) if others else None
    if first is None:
        raise RelataskError(
            f"{table.path} holds no vectors beside {key!r}; give rows with columns of numbers."
        )
    types = dict(zip(first.schema.names, first.schema.types, strict=True))
    lists = [name for name in others if _is_list(types[name])]
    if len(lists) > 1:
        raise RelataskError(
            f"{table.path} has the columns of lists {', '.join(map(repr, lists))}; name one (columns)."
        )
    typed = [name for name in others if pa.types.is_integer(types[name]) or pa.types.is_floating(types[name])]
    chosen = lists or typed or others
    if left := [name for name in others if name not in chosen]:
        log.info("%s: %s is no part of the vectors.", table.path, ", ".join(map(repr, left)))
    return chosen


def _is_list(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _read(table: "TableFile", key: str, columns: list[str]) -> tuple[list[str | None], "np.ndarray"]:
    """Return keys and vectors, float32 [m, d]; a row whose list is missing has no key."""
    import numpy as np

    from relatask.sources.cells import EMPTY, texts_of
    from relatask.sources.number_columns import numbers_of_batch

    keys: list[str | None] = []
    parts: list[np.ndarray] = []
    for batch in table.batches([key, *columns]):
        cells = dict(zip(batch.schema.names, batch.columns, strict=True))
        texts, codes = texts_of(cells[key], EMPTY)
        own = [texts[code] for code in codes]
        if _is_list(cells[columns[0]].type):
            part, there = _lists(cells[columns[0]], table, len(keys), parts)
            own = [text if held else None for text, held in zip(own, there, strict=True)]
        else:
            part = numbers_of_batch(table, cells, columns, len(keys))
        keys += own
        parts.append(part)
    return keys, np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


def _lists(
    column: "pa.Array", table: "TableFile", done: int, before: list["np.ndarray"]
) -> tuple["np.ndarray", "np.ndarray"]:
    """Return the numbers of a column of lists, float32 [n, d], 0 where there is none, and where there is one.

    Args:
        column: of a batch.
        table: the file.
        done: number of rows before the batch.
        before: what was read of these, of which the width must be the same.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from relatask.sources.number_columns import LARGEST
    from relatask.sources.table_files import row_in_file

    there = column.is_valid().to_numpy(zero_copy_only=False)
    lengths = pc.list_value_length(column.filter(pa.array(there))).to_numpy(zero_copy_only=False)
    width = next((part.shape[1] for part in before if part.shape[1]), int(lengths[0]) if len(lengths) else 0)
    rows = np.flatnonzero(there)

    def refuse(place: int, said: str) -> None:
        raise RelataskError(f"{table.path}, {row_in_file(table, done + int(rows[place]))}: {said}")

    if (odd := lengths != width).any():
        refuse(
            int(np.argmax(odd)),
            f"its list has {lengths[odd][0]} numbers and others have {width}; give all one.",
        )
    values = column.filter(pa.array(there)).flatten()
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise RelataskError(
            f"{table.path}: the lists hold {values.type} and no numbers; name another column."
        )
    numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).reshape(len(rows), width)
    if (bad := ~(np.abs(numbers) <= LARGEST).all(1)).any():
        refuse(int(np.argmax(bad)), "its list holds what is no finite number of 32 bits; correct it.")
    found = np.zeros((len(column), width), np.float32)
    found[rows] = numbers
    return found, there
