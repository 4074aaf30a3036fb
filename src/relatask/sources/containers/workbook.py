"""Workbooks of Excel and LibreOffice: one sheet, whose first row that is not empty names the columns."""

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.core.told import tell_once
from relatask.sources.containers import _sheet_reader
from relatask.sources.containers.delimited import TextTable, with_names
from relatask.sources.table_files import Reading

CONTAINER = {
    "summary": "a sheet of a workbook of Excel or LibreOffice",
    "suffixes": (".xlsx", ".xlsm", ".xls", ".ods"),
    "keys": ("sheet", "decimal"),
}
_MEMORY = 6 << 30  # bytes that reading a workbook may take
_TEXT = 4 << 30  # bytes of a sheet as text
_SECONDS = 600
_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class SheetTable(TextTable):
    """A sheet, read once and kept as text with tabs in a file that ends with it.

    Attributes:
        copy: the text, whose first column is the number of each row in the sheet.
        sheet: its name.
    """

    copy: Any = None
    sheet: str = ""

    def open_bytes(self) -> IO[bytes]:
        """Return the text."""
        return Path(self.copy.name).open("rb")

    def place(self, position: int) -> str:
        """Return the number of a row as the program shows it."""
        with self.rows() as reader:
            next(reader)
            for row in reader:
                if position == 0:
                    return f"row {row[0]} of the sheet"
                position -= 1
        return f"data row {position + 1}"

    def is_blank(self, columns: Sequence[int]) -> bool:
        """Whether columns hold nothing; the text has one more before them."""
        return super().is_blank([place + 1 for place in columns])

    def facts(self) -> Mapping[str, Any]:
        """Return the name of the sheet."""
        return {"sheet": self.sheet, "decimal": super().facts()["decimal"]}

    def explained(self, error: Exception) -> RelataskError:
        """Turn an error of the parser into one sentence."""
        return RelataskError(
            f"{self.path} cannot be read as a table ({error}); save the sheet as CSV (UTF-8)."
        )


def open_file(path: Path, reading: Reading) -> SheetTable:
    """Read a sheet in a process of its own.

    Raises:
        RelataskError: it is no workbook, is damaged or protected, has no such sheet, or needs much memory.
    """
    with path.open("rb") as handle:
        if not handle.read(8).startswith(_STARTS):
            raise RelataskError(
                f"{path} is no workbook, whatever its name says; if it is a text, let its name end in .csv."
            )
    copy = tempfile.NamedTemporaryFile(prefix="relatask-sheet-", suffix=".tsv")  # noqa: SIM115
    limits = [str(number) for number in (_MEMORY, _TEXT, _SECONDS)]
    command = [sys.executable, "-P", _sheet_reader.__file__, str(path), reading.sheet or "", *limits]
    done = subprocess.run(command, stdout=copy, stderr=subprocess.PIPE, check=False)
    try:
        report = json.loads(done.stderr.decode(errors="replace").rpartition("\n")[2])
    except ValueError:
        report = {"error": "it needs more memory or time than a table should"}
    if report.get("error") == "sheet":
        raise RelataskError(
            f"{path} has no sheet {reading.sheet!r}.{suggest(str(reading.sheet), report['sheets'])}"
        )
    if "error" in report or done.returncode:
        raise RelataskError(
            f"{path} cannot be read ({report.get('error', 'it broke off')}); save the sheet as CSV (UTF-8)."
        )
    if not report["sheets"]:
        return SheetTable(path, [], separator="\t", copy=copy)
    sheet = report["sheets"][0]
    if len(report["sheets"]) > 1:
        tell_once(
            *(__name__, logging.WARNING),
            f"{path}: the sheet {sheet!r} is read, the first of {report['sheets']}; name another one in "
            "`sheet` (or --sheet).",
        )
    table = with_names(SheetTable(path, [], separator="\t", copy=copy, sheet=sheet), reading)
    return replace(table, names=table.names[1:])
