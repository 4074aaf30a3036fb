"""Parts of a table, each a file, as one: CSV, packed or not, and Parquet."""

import csv
import gzip
import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.parquet as pq


def join_texts(
    parts: Sequence[Path], header: Sequence[str], target: IO[bytes], pack: bool, skip: int = 0
) -> None:
    """Write the rows of CSV files below one header.

    Args:
        parts: in order, UTF-8, each row ended.
        header: names of the columns.
        target: gets the text.
        pack: whether by gzip; the same bytes each time.
        skip: bytes at the beginning of each part that are left out, such as those of its header.
    """
    with _packed(target, pack) as stream:
        stream.write(csv_line(header))
        for part in parts:
            with part.open("rb") as handle:
                handle.seek(skip)
                shutil.copyfileobj(handle, stream, 1 << 20)


def join_tables(parts: Sequence[Path], header: Sequence[str], target: IO[bytes]) -> None:
    """Write the rows of Parquet files as one file; a column without a type in a part has the others' type.

    Row groups stay as they are, and one is held at a time.

    Args:
        parts: in order.
        header: names of the columns, of a table without any part.
        target: gets the file.
    """
    schemas = [pq.read_schema(part) for part in parts] or [pa.schema([(name, pa.null()) for name in header])]
    schema = pa.unify_schemas(schemas, promote_options="permissive")
    with pq.ParquetWriter(target, schema) as writer:
        for part in parts:
            with pq.ParquetFile(part) as file:
                for number in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(number).cast(schema))


def csv_line(cells: Sequence[str]) -> bytes:
    """Return a row of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


@contextmanager
def _packed(target: IO[bytes], pack: bool) -> Iterator[IO[bytes]]:
    if not pack:
        yield target
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0) as stream:
        yield cast(IO[bytes], stream)
