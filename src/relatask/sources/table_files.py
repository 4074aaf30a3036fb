"""Tables of users in files of any kind, read in batches, with errors that a user can act on.

A kind of file is a file of `relatask.sources.containers`, with a literal ``CONTAINER = {...}`` and a function
``open_file(path, reading)`` that returns a `TableFile`. Nothing lists them.
"""

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relatask.core.errors import RelataskError
from relatask.core.files import is_file
from relatask.core.plugins import Record, load_file
from relatask.core.records import records, suggest
from relatask.core.told import tell_once

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET_INDEX = re.compile(r"__index_level_\d+__")  # what pandas calls an index without a name in Parquet
_INDEX = re.compile(rf"\s*|Unnamed: 0(\.\d+)?|{PARQUET_INDEX.pattern}")  # and in any file


@dataclass(frozen=True)
class Reading:
    """What a user says of a file, where it is not to be found in the file; None: find it.

    Attributes:
        encoding: of a text, a name that Python knows.
        decimal: mark before decimals in a text, "." or ",".
        sheet: of a workbook.
    """

    encoding: str | None = None
    decimal: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class ContainerRecord(Record):
    """A kind of file; each field but name and file is a key of its ``CONTAINER``."""

    suffixes: tuple[str, ...] = ()  # ends of names, in lower case
    keys: tuple[str, ...] = ()  # of `Reading`, that it reads


@dataclass(frozen=True)
class TableFile(ABC):
    """A table whose header was read and checked; `batches` reads the rest.

    Attributes:
        path: of the file, for messages.
        names: of its columns.
        numbers: columns whose cells may be numbers; where a text has decimal commas, theirs become points.
    """

    path: Path
    names: list[str]
    numbers: frozenset[str] = frozenset()

    @abstractmethod
    def batches(self, columns: list[str]) -> "Iterator[pa.RecordBatch]":
        """Yield the rows of `columns` in order; cells of texts are strings, others keep their type.

        Raises:
            RelataskError: the file breaks off, is damaged, or has a row of another width.
        """

    def count(self, column: str) -> int:
        """Return the number of rows, after reading all of a column.

        Raises:
            RelataskError: as of `batches`.
        """
        return sum(batch.num_rows for batch in self.batches([column]))

    @abstractmethod
    def place(self, position: int) -> str:
        """Return what messages call a row, as programs show it: "line 7" of a text, "row 7" of a sheet.

        Args:
            position: of the row, from 0; header and blank lines do not count.
        """

    def is_blank(self, columns: Sequence[int]) -> bool:
        """Whether the columns at these positions hold nothing."""
        return False

    def facts(self) -> Mapping[str, Any]:
        """What was found out about the file besides its columns, e.g. its separator."""
        return {}


def containers() -> Mapping[str, ContainerRecord]:
    """Return name -> record of every kind of file."""
    return records("sources/containers", "CONTAINER", ContainerRecord, helpers=True)


def suffixes() -> tuple[str, ...]:
    """Return how the names of files end that are tables."""
    return tuple(suffix for record in containers().values() for suffix in record.suffixes)


def container_of(path: str | Path) -> ContainerRecord | None:
    """Return the kind of a file by its name, None where it is of no known kind."""
    name = Path(path).name.lower()
    return next((record for record in containers().values() if name.endswith(record.suffixes)), None)


def open_table(path: str | Path, reading: Reading | None = None, *, index: bool = False) -> TableFile:
    """Read and check the header of a table.

    A column without name and content is left out.

    Args:
        path: of a file of a kind that `suffixes` lists.
        reading: what a user says of it.
        index: whether first columns without a name of their own, as pandas writes its index, are columns
            like others. Otherwise they are left out and told.

    Raises:
        RelataskError: the file is absent, of another kind or damaged; a column name is empty or repeated.
    """
    path = Path(path)
    if not is_file(path):
        raise RelataskError(f"there is no file {path}; give the path of a table, e.g. CSV or Excel.")
    record = container_of(path)
    if record is None:
        raise RelataskError(f"{path} is of no kind known here; save it as one of {', '.join(suffixes())}.")
    table: TableFile = load_file(record).open_file(path, reading or Reading())
    return replace(table, names=_checked_names(table, index))


def _checked_names(table: TableFile, keep_index: bool) -> list[str]:
    """Return the names of the columns that have one, before them those of an index if wanted."""
    path, names = table.path, table.names
    if not names:
        raise RelataskError(f"{path} is empty; its first row must name the columns.")
    index = 0
    while index < len(names) - 1 and _INDEX.fullmatch(names[index]):
        index += 1
    first = {name: names.index(name) + 1 for name in names[:index] if keep_index}
    if left_out := [name for place, name in enumerate(names[:index], start=1) if first.get(name) != place]:
        found = ", ".join(map(repr, left_out))
        tell_once(
            *(__name__, logging.INFO),
            f"{path}: first columns without a name of their own, as an index that pandas writes, are left "
            f"out: {found}. Name them in the file to use them.",
        )
    nameless = [place for place, name in enumerate(names) if place >= index and not name.strip()]
    if nameless and not table.is_blank(nameless):
        raise RelataskError(f"{path}: column {nameless[0] + 1} has no name; name it or remove it.")
    for number, name in enumerate(names[index:], start=index + 1):
        if number - 1 not in nameless and first.setdefault(name, number) < number:
            raise RelataskError(
                f"{path}: the column name {name!r} is used twice (columns {first[name]} and {number}); give "
                "each column a name of its own."
            )
    return list(first)


def find_column(table: TableFile, wanted: str, what: str) -> str:
    """Return the column called `wanted`, else the only one equal to it but for upper and lower case.

    Args:
        table: the opened file.
        wanted: the name that the config gives.
        what: the config key, for the message.
    """
    if wanted in table.names:
        return wanted
    named = [name for name in table.names if name.strip()]
    alike = [name for name in table.names if name.strip().lower() == wanted.lower()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise RelataskError(f"{table.path}: {what} {wanted!r} could be any of {alike}; write the exact name.")
    raise RelataskError(f"{table.path} has no column {wanted!r} ({what}).{suggest(wanted, named[:20])}")


def row_in_file(table: TableFile | str | Path, position: int) -> str:
    """Return what messages call a row of a table; see `TableFile.place`."""
    return (table if isinstance(table, TableFile) else open_table(table)).place(position)


def read_texts(path: str | Path) -> dict[str, list[str]]:
    """Read a small table (a task sheet) as text: column -> cells, empty string where nothing stands."""
    table = open_table(path)
    table = replace(table, numbers=frozenset(table.names))
    columns: dict[str, list[str]] = {name: [] for name in table.names}
    for batch in table.batches(table.names):
        for name in table.names:
            columns[name].extend(_text(cell) for cell in batch.column(name).to_pylist())
    return columns


def _text(cell: object) -> str:
    if cell is None or cell != cell:
        return ""
    return ";".join(map(str, cell)) if isinstance(cell, list) else str(cell).strip()
