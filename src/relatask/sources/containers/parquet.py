"""Parquet, whose columns have types."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from relatask.core.errors import RelataskError
from relatask.sources.table_files import PARQUET_INDEX, Reading, TableFile

CONTAINER = {"summary": "Parquet", "suffixes": (".parquet",)}
_CELLS = 1 << 22  # held at a time
_BROKEN = (pa.ArrowException, OSError, EOFError, UnicodeDecodeError)


@dataclass(frozen=True)
class ParquetTable(TableFile):
    """A Parquet file; its columns keep their types."""

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns."""
        try:
            with pq.ParquetFile(self.path) as file:
                rows = max(1, min(1 << 14, _CELLS // max(1, len(columns))))
                for batch in file.iter_batches(batch_size=rows, columns=columns):
                    batch.validate(full=True)  # that text is UTF-8, which its writer may have skipped
                    yield batch.select([batch.schema.names.index(name) for name in columns])
        except _BROKEN as error:
            raise _explain(self.path, error) from None

    def place(self, position: int) -> str:
        """Return the number of a row, from 1."""
        return f"data row {position + 1}"


def open_file(path: Path, reading: Reading) -> ParquetTable:
    """Read the names of the columns."""
    try:
        names = pq.read_schema(path).names
        index_first = sorted(names, key=lambda name: PARQUET_INDEX.fullmatch(name) is None)
        return ParquetTable(path, index_first)
    except _BROKEN as error:
        raise _explain(path, error) from None


def _explain(path: Path, error: Exception) -> RelataskError:
    text = " ".join(str(error).split())
    if isinstance(error, UnicodeDecodeError) or "UTF8" in text or "UTF-8" in text:
        return RelataskError(f"{path} holds text that is not UTF-8 ({text}); write it again as UTF-8.")
    return RelataskError(f"{path} cannot be read, it may be cut off or damaged ({text}); fetch it again.")
