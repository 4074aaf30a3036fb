"""Text with a row a line, whose cells are separated by commas, semicolons, tabs or vertical bars."""

import csv
import gzip
import logging
import re
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, TypeVar

import pyarrow as pa
import pyarrow.csv

from relatask.core.errors import RelataskError
from relatask.core.told import tell_once
from relatask.sources.containers.separators import (
    SEPARATORS,
    THOUSANDS_COMMA,
    THOUSANDS_POINT,
    first_match,
    found_separator,
    has_decimal_commas,
    with_points,
)
from relatask.sources.containers.text_encoding import LONGEST_LINE, UTF8, Characters, survey
from relatask.sources.table_files import Reading, TableFile

CONTAINER = {
    "summary": "CSV: text with commas, semicolons, tabs or vertical bars between cells",
    "suffixes": (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz"),
    "keys": ("encoding", "decimal"),
}
_BLOCK = 8 << 20  # bytes of text held at a time
_SAMPLE = 1 << 16  # characters by which the separator is found
csv.field_size_limit(LONGEST_LINE)  # of a cell; Python's own limit of 128 KiB is less than some texts have
_BROKEN = (pa.ArrowException, OSError, EOFError, UnicodeError, zlib.error, csv.Error)
_HINT = re.compile(r"sep=([,;\t|])[\r\n]")  # a first line by which Excel knows the separator


@dataclass(frozen=True)
class TextTable(TableFile):
    """A text whose rows are lines.

    Attributes:
        encoding: of its characters.
        separator: of its cells.
        hint: whether a line that names the separator stands above the header.
        comma: whether numbers have a decimal comma; None: no number shows it.
    """

    encoding: str = UTF8
    separator: str = ","
    hint: bool = False
    comma: bool | None = False

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns, whose cells are strings."""
        done = 0
        try:
            with self._stream() as stream:
                for batch in pa.csv.open_csv(
                    stream,
                    read_options=pa.csv.ReadOptions(
                        use_threads=False, block_size=_BLOCK, skip_rows=int(self.hint)
                    ),
                    parse_options=pa.csv.ParseOptions(delimiter=self.separator, newlines_in_values=True),
                    convert_options=pa.csv.ConvertOptions(
                        include_columns=columns, column_types=dict.fromkeys(columns, pa.string())
                    ),
                ):
                    yield self._plain(batch, done)
                    done += batch.num_rows
        except _BROKEN as error:
            raise self.explained(error) from None

    def _plain(self, batch: pa.RecordBatch, done: int) -> pa.RecordBatch:
        """Return a batch in which numbers have no decimal comma; refuse those that may mean two things."""
        numbers = [place for place, name in enumerate(batch.schema.names) if name in self.numbers]
        if not numbers or self.comma is False:
            return batch
        columns = list(batch.columns)
        for place in numbers:
            pattern = THOUSANDS_POINT if self.comma else THOUSANDS_COMMA
            if (row := first_match(columns[place], pattern)) is not None:
                text = columns[place][row].as_py().strip()
                where = f"{self.path}, {self.place(done + row)}, column {batch.schema.names[place]!r}"
                if self.comma:
                    raise RelataskError(
                        f"{where}: {text!r} may have a mark of thousands or a decimal point, while other "
                        "numbers have a decimal comma; write numbers without marks of thousands."
                    )
                raise RelataskError(
                    f"{where}: {text!r} may be a number with a decimal comma or with a mark of thousands, "
                    "and no other number tells which; say which by `decimal: ','` or `decimal: '.'` (or "
                    "--decimal)."
                )
            if self.comma:
                columns[place] = with_points(columns[place])
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    def place(self, position: int) -> str:
        """Return the line in which a row begins."""
        with suppress(*_BROKEN), self.rows() as reader:
            _header(reader)
            before = reader.line_num
            for row in reader:
                if row and position == 0:
                    return f"line {before + 1 + int(self.hint)}"
                position, before = position - bool(row), reader.line_num
        return f"data row {position + 1}"

    def is_blank(self, columns: Sequence[int]) -> bool:
        """Whether columns hold nothing, as those that Excel writes behind the last one."""
        with self.rows() as reader:
            _header(reader)
            return not any(row[place].strip() for row in reader for place in columns if place < len(row))

    def _other_width(self) -> str:
        """Return where the first row stands that has more or fewer cells than the header, and how many."""
        with suppress(*_BROKEN), self.rows() as reader:
            width = len(_header(reader))
            before = reader.line_num
            for row in reader:
                if row and len(row) != width:
                    line = before + 1 + int(self.hint)
                    return f"line {line}: {len(row)} cells, but the header has {width}"
                before = reader.line_num
        return ""

    def facts(self) -> Mapping[str, Any]:
        """Return encoding, separator and decimal mark."""
        return {
            "encoding": self.encoding,
            "separator": self.separator,
            "decimal": {True: ",", False: ".", None: None}[self.comma],
        }

    def open_bytes(self) -> IO[bytes]:
        """Return the bytes of the text, unpacked."""
        return opened(self.path)

    @contextmanager
    def rows(self, strict: bool = False) -> Iterator[Any]:
        """Yield a reader of its rows, the header first; blank lines are empty rows."""
        with self.text() as text:
            yield csv.reader(text, delimiter=self.separator, strict=strict)

    @contextmanager
    def text(self) -> Iterator[TextIOWrapper]:
        """Yield its characters, from the header on."""
        with self.open_bytes() as handle, TextIOWrapper(handle, encoding=self.encoding, newline="") as text:
            if self.hint:
                text.readline()
            yield text

    @contextmanager
    def _stream(self) -> Iterator[pa.NativeFile]:
        """Yield its characters as UTF-8."""
        with self.open_bytes() as handle, pa.PythonFile(handle, mode="r") as stream:
            own = self.encoding.startswith("utf-8")
            yield stream if own else pa.transcoding_input_stream(stream, self.encoding, "utf-8")

    def explained(self, error: Exception) -> RelataskError:
        """Turn an error of the parser into one sentence."""
        text = " ".join(str(error).split())
        if "Expected" in text and "columns" in text and (place := self._other_width()):
            return RelataskError(f"{self.path}, {place}; correct the row and run again.")
        if isinstance(error, UnicodeError) or "UTF8" in text or "UTF-8" in text:
            return RelataskError(
                f"{self.path} is not text in the encoding {self.encoding} ({text}); name its own in "
                "`encoding`, or save it as 'CSV UTF-8'."
            )
        if self.path.name.lower().endswith(".gz"):
            return RelataskError(
                f"{self.path} cannot be read, it may be cut off or damaged ({text}); fetch it again."
            )
        return RelataskError(
            f"{self.path} is not a table that can be read: {text}; correct the row and run again."
        )


T = TypeVar("T", bound=TextTable)


def opened(path: Path) -> IO[bytes]:
    """Open a file, unpacking it where its name ends in .gz."""
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def surveyed(path: Path, reading: Reading) -> Characters:
    """Find out how a text is written, and tell where that was assumed; see `survey`."""
    try:
        found = survey(path, lambda: opened(path), reading.encoding)
    except _BROKEN as error:
        raise TextTable(path, []).explained(error) from None
    if found.word:
        encoding = {"cp1252": "Windows-1252"}.get(found.encoding, "Latin-1")
        tell_once(
            *(__name__, logging.WARNING),
            f"{path} is not UTF-8; it is read as {encoding}, in which {found.word!r} is one of its words. If "
            "that is wrong, name it in the key `encoding` of the source (or --encoding), or save the file as "
            "'CSV UTF-8'.",
        )
    return found


def open_file(path: Path, reading: Reading) -> TextTable:
    """Find out encoding, separator and decimal mark, and tell what is not as usual."""
    named = "\t" if path.name.lower().removesuffix(".gz").endswith(".tsv") else ","
    characters = surveyed(path, reading)
    table = TextTable(path, [], encoding=characters.encoding, separator=named)
    try:
        table = _with_separator(table, named)
        if characters.quoted:
            _require_pairs_of_quotes(table)
        table = with_names(table, reading)
        if table.separator != named or table.comma:
            decimal = ", and numbers have a decimal comma" if table.comma else ""
            tell_once(
                *(__name__, logging.INFO),
                f"{path}: columns are separated by {SEPARATORS[table.separator]}{decimal}.",
            )
        return table
    except _BROKEN as error:
        raise table.explained(error) from None


def _with_separator(table: TextTable, named: str) -> TextTable:
    """Return the table with the separator that its text has."""
    with table.text() as text:
        sample = text.read(_SAMPLE).removeprefix("\ufeff")
        whole = not text.read(1)
    hint = _HINT.match(sample)
    separator = hint[1] if hint else found_separator(sample, whole=whole, default=named)
    return replace(table, separator=separator, hint=bool(hint))


def with_names(table: T, reading: Reading) -> T:
    """Return a table with the names of its columns, and whether its numbers have a decimal comma."""
    with table.rows() as reader:
        names = _header(reader)
    comma: bool | None = False
    if reading.decimal is not None:
        comma = reading.decimal == ","
    elif table.separator != ",":
        with table.text() as text:
            comma = has_decimal_commas(iter(lambda: text.read(1 << 20), ""), table.separator) or None
    return replace(table, names=names, comma=comma)


def _header(reader: Iterator[list[str]]) -> list[str]:
    """Return the first row that is not blank."""
    return next((row for row in reader if row), [])


def _require_pairs_of_quotes(table: TextTable) -> None:
    """Refuse a quotation mark without its pair, which would swallow later rows.

    The parser of the rows reads on to the end of the file then, and tells nothing.
    """
    with table.rows(strict=True) as reader:
        try:
            deque(reader, maxlen=0)
        except csv.Error as error:
            raise RelataskError(
                f"{table.path}: the row that ends in line {reader.line_num} has quotation marks that are not "
                f"in pairs around a cell ({error}); correct the row and run again."
            ) from None
