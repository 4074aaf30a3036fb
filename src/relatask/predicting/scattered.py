"""The rows of a long file as so many files, each predicted by a job that reads nothing of the others.

A file is read and counted once so, and not by each job; CSV can be read from its beginning alone.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from relatask.core.atomic import atomic_path
from relatask.predicting.rows import Rows


def scatter(rows: Rows, paths: Sequence[Path]) -> None:
    """Write the rows of a file as Parquet files, in order; one chunk is held at a time.

    Chunks are the same as in the whole file, and so are the last digits of what is predicted of them.

    Args:
        rows: of the whole file.
        paths: of the files. Where there are more of them than chunks some have no rows.

    Raises:
        RelataskError: the file cannot be read.
    """
    chunks = (chunk for _, chunk in rows.chunks(lambda number: True))
    for number, path in enumerate(paths, start=1):
        with atomic_path(path) as temporary:
            _write(temporary, islice(chunks, rows.part(number, len(paths)).n_chunks), rows.table.names)


def _write(path: Path, chunks: Iterable[pa.Table], names: Sequence[str]) -> None:
    """Write chunks, all of one schema, or without any the names of their columns."""
    untyped = pa.table({name: pa.nulls(0) for name in names})
    writer = None
    try:
        for chunk in chunks:
            writer = writer or pq.ParquetWriter(path, chunk.schema)
            writer.write_table(chunk)
    finally:
        if writer:
            writer.close()
    if writer is None:
        pq.write_table(untyped, path)
