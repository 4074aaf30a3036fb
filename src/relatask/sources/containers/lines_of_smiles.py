"""A SMILES a line, and behind it a name, without a header."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

import pyarrow as pa

from relatask.core.errors import RelataskError
from relatask.sources.containers.delimited import opened, surveyed
from relatask.sources.containers.text_encoding import UTF8
from relatask.sources.table_files import Reading, TableFile

CONTAINER = {
    "summary": "a SMILES a line, and behind it a name",
    "suffixes": (".smi", ".smi.gz", ".smiles", ".smiles.gz"),
    "keys": ("encoding",),
}
_ROWS = 1 << 14
_BROKEN = (OSError, EOFError, UnicodeError, zlib.error)


@dataclass(frozen=True)
class LinesOfSmiles(TableFile):
    """Lines of SMILES, with columns `smiles` and `name`; blank lines do not count."""

    encoding: str = UTF8

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns."""
        rows = (row for _, row in self._lines())
        while chunk := list(islice(rows, _ROWS)):
            cells = dict(zip(self.names, zip(*chunk, strict=True), strict=True))
            yield pa.RecordBatch.from_pydict({name: pa.array(cells[name], pa.string()) for name in columns})

    def place(self, position: int) -> str:
        """Return the line of a row."""
        return f"line {next(islice(self._lines(), position, None))[0]}"

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        try:
            with opened(self.path) as handle, TextIOWrapper(handle, encoding=self.encoding) as text:
                for number, line in enumerate(text, start=1):
                    if parts := line.strip().split(maxsplit=1):
                        yield number, [*parts, ""][:2]
        except _BROKEN as error:
            raise RelataskError(f"{self.path} cannot be read ({error}); fetch or save it again.") from None


def open_file(path: Path, reading: Reading) -> LinesOfSmiles:
    """Find out the encoding."""
    return LinesOfSmiles(path, ["smiles", "name"], encoding=surveyed(path, reading).encoding)
