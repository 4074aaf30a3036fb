"""CSV and Parquet files of users, read in batches, with errors that a user can act on."""

import csv
import gzip
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from relatask.core.errors import RelataskError
from relatask.core.files import is_file
from relatask.core.records import suggest

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
_BLOCK = 8 << 20  # bytes of text held at a time
_LONGEST_LINE = 64 << 20  # bytes; what is longer is no table, and a compressed one could fill the memory
csv.field_size_limit(_LONGEST_LINE)  # of a cell; Python's own limit of 128 KiB is less than some texts have
_CELLS = 1 << 22  # of a Parquet file, held at a time
_INDEX = "__index_level_0__"  # what pandas calls an index without a name
_BROKEN = (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error)


@dataclass(frozen=True)
class TableFile:
    """A table whose header was read and checked; `batches` reads the rest."""

    path: Path
    names: list[str]

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of `columns` in order; CSV cells are strings, Parquet columns keep their type.

        Raises:
            RelataskError: the file breaks off, has a row of another width, or is not UTF-8.
        """
        try:
            if self.path.name.endswith(".parquet"):
                with pa.parquet.ParquetFile(self.path) as file:
                    rows = max(1, min(1 << 14, _CELLS // len(columns)))
                    for batch in file.iter_batches(batch_size=rows, columns=columns):
                        batch.validate(full=True)  # that text is UTF-8, which its writer may have skipped
                        yield batch
            else:
                yield from self._csv_batches(columns)
        except _BROKEN as error:
            raise _explain(self.path, error) from None

    def _csv_batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with pa.input_stream(str(self.path), compression="detect") as stream:
            reader = pa.csv.open_csv(
                stream,
                read_options=pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK),
                parse_options=pa.csv.ParseOptions(delimiter=_delimiter(self.path), newlines_in_values=True),
                convert_options=pa.csv.ConvertOptions(
                    include_columns=columns, column_types=dict.fromkeys(columns, pa.string())
                ),
            )
            yield from reader


def open_table(path: str | Path) -> TableFile:
    """Read and check the header of a CSV (UTF-8, also .gz), TSV or Parquet file.

    Raises:
        RelataskError: the file is absent, of another kind or not UTF-8; a column name is empty or repeated.
    """
    path = Path(path)
    if not is_file(path):
        raise RelataskError(f"there is no file {path}; give the path of a CSV or Parquet table.")
    if not path.name.endswith(SUFFIXES):
        raise RelataskError(f"{path} is of no kind known here; save it as one of {', '.join(SUFFIXES)}.")
    try:
        if path.suffix == ".parquet":
            names = _parquet_names(path)
        else:
            _check_lines(path)
            names = _csv_names(path)
    except _BROKEN as error:
        raise _explain(path, error) from None
    if not names:
        raise RelataskError(f"{path} is empty; its first row must name the columns.")
    first: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise RelataskError(f"{path}: column {number} has no name; name it or remove it.")
        if first.setdefault(name, number) < number:
            raise RelataskError(
                f"{path}: the column name {name!r} is used twice (columns {first[name]} and {number}); give "
                "each column a name of its own."
            )
    return TableFile(path, names)


def find_column(table: TableFile, wanted: str, what: str) -> str:
    """Return the column called `wanted`, else the only one equal to it but for upper and lower case.

    Args:
        table: the opened file.
        wanted: the name that the config gives.
        what: the config key, for the message.
    """
    if wanted in table.names:
        return wanted
    alike = [name for name in table.names if name.strip().lower() == wanted.lower()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise RelataskError(f"{table.path}: {what} {wanted!r} could be any of {alike}; write the exact name.")
    hint = suggest(wanted, table.names[:20])
    if len(table.names) == 1 and ";" in table.names[0]:
        hint = " The columns seem to be separated by semicolons; save the file with commas."
    raise RelataskError(f"{table.path} has no column {wanted!r} ({what}).{hint}")


def row_in_file(path: str | Path, position: int) -> str:
    """Return what messages call a row of a table: its line in a text file, its number in a Parquet file.

    Args:
        path: of the table.
        position: of the row, from 0; header and blank lines do not count.
    """
    path = Path(path)
    if path.suffix != ".parquet":
        with suppress(csv.Error), _rows(path) as reader:
            next(reader)
            before = reader.line_num
            for row in reader:
                if row and position == 0:
                    return f"line {before + 1}"
                position, before = position - bool(row), reader.line_num
    return f"data row {position + 1}"


def read_texts(path: str | Path) -> dict[str, list[str]]:
    """Read a small table (a task sheet) as text: column -> cells, empty string where nothing stands."""
    table = open_table(path)
    columns: dict[str, list[str]] = {name: [] for name in table.names}
    for batch in table.batches(table.names):
        for name in table.names:
            columns[name].extend(_text(cell) for cell in batch.column(name).to_pylist())
    return columns


def _text(cell: object) -> str:
    if cell is None or cell != cell:
        return ""
    return ";".join(map(str, cell)) if isinstance(cell, list) else str(cell).strip()


def _delimiter(path: Path) -> str:
    return "\t" if path.name.endswith((".tsv", ".tsv.gz")) else ","


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _check_lines(path: Path) -> None:
    """Refuse a line without end and a quotation mark without its pair, which would swallow later rows.

    The parser of the rows reads on to the end of the file in both cases, and tells nothing.
    """
    quoted, length = False, 0
    with _open(path) as handle:
        while block := handle.read(1 << 20):
            quoted = quoted or b'"' in block
            length = 0 if b"\n" in block or b"\r" in block else length + len(block)
            if length > _LONGEST_LINE:
                raise RelataskError(
                    f"{path} has a line of more than {_LONGEST_LINE >> 20} MiB; it is no table."
                )
    if quoted:
        with _rows(path, strict=True) as reader:
            try:
                deque(reader, maxlen=0)
            except csv.Error as error:
                raise RelataskError(
                    f"{path}: the row that ends in line {reader.line_num} has quotation marks that are not "
                    f"in pairs around a cell ({error}); correct the row and run again."
                ) from None


@contextmanager
def _rows(path: Path, strict: bool = False) -> Iterator[Any]:
    with _open(path) as handle, TextIOWrapper(handle, encoding="utf-8-sig", newline="") as text:
        yield csv.reader(text, delimiter=_delimiter(path), strict=strict)


def _csv_names(path: Path) -> list[str]:
    with _rows(path) as reader:
        return next(reader, [])


def _parquet_names(path: Path) -> list[str]:
    return [name for name in pa.parquet.read_schema(path).names if name != _INDEX]


def _explain(path: Path, error: Exception) -> RelataskError:
    """Turn an error of the parser into one sentence."""
    text = " ".join(str(error).split())
    if isinstance(error, UnicodeDecodeError) or "UTF8" in text or "UTF-8" in text:
        if path.suffix == ".parquet":
            return RelataskError(f"{path} holds text that is not UTF-8 ({text}); write it again as UTF-8.")
        return RelataskError(f"{path} is not UTF-8 text; save it as 'CSV UTF-8' and run again.")
    if path.suffix in {".gz", ".parquet"}:
        return RelataskError(f"{path} cannot be read, it may be cut off or damaged ({text}); fetch it again.")
    return RelataskError(f"{path} is not a table that can be read: {text}; correct the row and run again.")
