"""The tables on disk: their columns and types, and the only functions that read and write them.

Every table is Parquet. Its columns are declared once, in `relatask.core.columns`; writing casts to them and
refuses what does not fit, reading checks them, so a step can rely on what another step wrote.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relatask.core import outputs
from relatask.core.atomic import atomic_path
from relatask.core.columns.data import DATA, OPEN
from relatask.core.columns.runs import RUNS
from relatask.core.errors import RelataskError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

COLUMNS = {**DATA, **RUNS}  # name of a table that the workflow works with -> its columns and their types

# Each page has a checksum, so that a damaged file is an error and never another number.
_FORMAT: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}


def columns_of(name: str) -> Mapping[str, str]:
    """Return column -> type of table `name`; of table_NAME and figure_NAME as the file of the output says."""
    kind, _, output = name.partition("_")
    if kind == "table":
        return outputs.tables()[output].columns
    return outputs.figures()[output].columns if kind == "figure" else COLUMNS[name]


def saved_columns(declared: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of a table that a method declares in `saves`: its run comes first."""
    return {"run_id": "category", **declared}


def schema(name: str, columns: Mapping[str, str] | None = None) -> "pa.Schema":
    """Return the Arrow schema of table `name`, or of `columns` where a method declares them."""
    import pyarrow as pa

    types = {
        "category": pa.dictionary(pa.int32(), pa.string()),
        "list<string>": pa.list_(pa.string()),
        "string": pa.string(),
    }
    return pa.schema(
        [
            pa.field(
                column,
                types.get(kind.rstrip("?")) or pa.type_for_alias(kind.rstrip("?")),
                nullable=kind.endswith("?"),
            )
            for column, kind in (columns_of(name) if columns is None else columns).items()
        ]
    )


def write_table(
    name: str, frame: "pd.DataFrame", path: str | Path, columns: Mapping[str, str] | None = None
) -> None:
    """Write `frame` as table `name` to `path`, cast to the declared columns, whole or not at all.

    Further columns of `frame` are kept where the table is open (`OPEN`), with the types that Arrow gives
    them, and left out where it is not.

    Args:
        name: a table, or what messages call the table of `columns`.
        frame: its rows.
        path: of the file.
        columns: of a table that a method declares, see `saved_columns`.

    Raises:
        RelataskError: a column is missing, holds a null it may not hold, or does not fit its type.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = schema(name, columns)
    if missing := [column for column in wanted.names if column not in frame.columns]:
        raise RelataskError(f"table {name} for {path} lacks the columns {missing}.")
    further = [column for column in frame.columns if column not in wanted.names] if name in OPEN else []
    try:
        table = pa.Table.from_pandas(frame[wanted.names], schema=wanted, preserve_index=False)
        if further:
            own = pa.Table.from_pandas(frame[further], preserve_index=False)
            for column in own.column_names:
                table = table.append_column(own.schema.field(column), own.column(column))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise RelataskError(f"table {name} for {path} does not fit its columns: {error}") from error
    for field in wanted:
        if not field.nullable and table.column(field.name).null_count:
            raise RelataskError(f"table {name} for {path} has nulls in column {field.name}.")
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(None), temporary, **_FORMAT)


def write_batches(
    name: str, batches: "Iterable[pa.RecordBatch]", path: str | Path, columns: Mapping[str, str] | None = None
) -> None:
    """Write table `name` batch by batch, for tables that are larger than memory should hold.

    Raises:
        RelataskError: as `write_table`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = schema(name, columns)
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, wanted, **_FORMAT) as writer:
        for batch in batches:
            arrays = [
                batch.column(field.name).dictionary_encode().cast(field.type)
                if pa.types.is_dictionary(field.type)
                else batch.column(field.name).cast(field.type)
                for field in wanted
            ]
            for field, array in zip(wanted, arrays, strict=True):
                if not field.nullable and array.null_count:
                    raise RelataskError(f"table {name} for {path} has nulls in column {field.name}.")
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=wanted))


@contextmanager
def _told(name: str, path: str | Path) -> Iterator[None]:
    """Tell what is wrong with the file of a table that cannot be read."""
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError:
        raise RelataskError(f"{path} does not exist; run the step that writes table {name} first.") from None
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system refuses, e.g. permission
            error.filename = error.filename or str(path)
            raise
        raise RelataskError(
            f"{path} is not a readable Parquet file ({error}); delete it and run the workflow again."
        ) from None


def _open(name: str, path: str | Path, columns: list[str]) -> "pq.ParquetFile":
    """Open the Parquet file of table `name` after checking that it has `columns`."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path, page_checksum_verification=True)
    if missing := [column for column in columns if column not in file.schema_arrow.names]:
        raise RelataskError(f"{path} is not a {name} table: it lacks the columns {missing}.")
    return file


def read_table(
    name: str, path: str | Path, columns: list[str] | None = None, optional: Sequence[str] = ()
) -> "pd.DataFrame":
    """Read table `name` from `path` as a data frame; of an open table with all its further columns.

    Args:
        name: of the table.
        path: of the file.
        columns: those that are read; default: all.
        optional: further ones that are read where the file has them.

    Raises:
        RelataskError: the file is absent, is not Parquet, or lacks a declared column.
    """
    with _told(name, path), _open(name, path, columns or schema(name).names) as file:
        there = [name for name in optional if name in file.schema_arrow.names]
        return file.read(columns=columns and [*columns, *there]).to_pandas()


def read_rows(name: str, path: str | Path, columns: list[str]) -> "list[dict[str, Any]]":
    """Read some columns of table `name` as one dictionary per row, without pandas, which takes long to start.

    Raises:
        RelataskError: as `read_table`.
    """
    with _told(name, path), _open(name, path, columns) as file:
        return file.read(columns=columns).to_pylist()


def read_plain(name: str, path: str | Path) -> "pd.DataFrame":
    """Read an open table without columns of lists or bytes, such as vectors, which may be large.

    Raises:
        RelataskError: as `read_table`.
    """
    import pyarrow as pa

    with _told(name, path), _open(name, path, schema(name).names) as file:
        plain = [
            field.name
            for field in file.schema_arrow
            if not (pa.types.is_nested(field.type) or pa.types.is_binary(field.type))
        ]
        return file.read(columns=plain).to_pandas()


def read_chunks(name: str, path: str | Path, rows: int) -> "Iterator[pd.DataFrame]":
    """Yield table `name` in frames of at most `rows` rows, of an open table with all its further columns.

    Raises:
        RelataskError: as `read_table`.
    """
    with _told(name, path), _open(name, path, schema(name).names) as file:
        for batch in file.iter_batches(batch_size=rows):
            yield batch.to_pandas()


def read_batches(name: str, path: str | Path, by: str, rows: int = 4_000_000) -> "Iterator[pd.DataFrame]":
    """Yield table `name` in frames of about `rows` rows; rows that share a value of `by` stay together.

    For tables that are larger than memory should hold; rows with one value of `by` must be neighbours.

    Raises:
        RelataskError: as `read_table`, or a value of `by` comes back after others.
    """
    import pyarrow as pa

    finished: set[str] = set()
    pending: pa.Table | None = None
    wanted = schema(name).names
    with _told(name, path), _open(name, path, wanted) as file:
        for batch in file.iter_batches(batch_size=rows, columns=wanted):
            table = pa.Table.from_batches([batch])
            table = table if pending is None else pa.concat_tables([pending, table]).unify_dictionaries()
            frame = table.to_pandas()
            cut = int((frame[by] == frame[by].iloc[-1]).to_numpy().argmax())
            pending = table.slice(cut)
            if cut:
                yield _unseen(frame.iloc[:cut], by, finished, path)
    if pending is not None and len(pending):
        yield _unseen(pending.to_pandas(), by, finished, path)


def _unseen(frame: "pd.DataFrame", by: str, finished: set[str], path: str | Path) -> "pd.DataFrame":
    """Return `frame` after noting its values of `by`; one that was noted before is a mistake."""
    values = set(frame[by].unique())
    if again := sorted(values & finished):
        raise RelataskError(
            f"{path}: the rows of {by} {again[0]!r} are not together; write it sorted by {by}."
        )
    finished |= values
    return frame
