"""config/datasets.tsv: which files a data set consists of, where they come from and what they must hold.

Empty lines and lines that begin with # are comments.

Read while Snakemake parses, so only the standard library is used.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.plugins import record_of
from relatask.sources.originals import conversion_records

UNKNOWN = "-"
DECIDING = ("file", "path", "url", "sha256", "bytes", "unpacked_sha256", "conversion")


@dataclass(frozen=True)
class SheetFile:
    """One row: a file of a data set."""

    name: str  # of the data set
    file: str  # below results/raw/{name}/
    path: str  # below the mirror folder
    url: str  # official addresses with a blank between, "-" for none; a.zip#b is b of an archive
    sha256: str  # of the file as its address serves it, "-" where it is not known
    bytes: str  # of the same, "-" where it is not known
    unpacked_sha256: str  # of what it holds, see sources/unpacked.py; "-" where it is not known
    conversion: str  # file of sources/originals that makes it of other rows, "-" for none
    licence: str
    citation: str
    note: str = ""

    def as_dict(self) -> dict[str, str]:
        """What decides the file's bytes: a change in a citation must not download anything again."""
        return {key: value for key, value in asdict(self).items() if key in DECIDING}

    @property
    def is_public(self) -> bool:
        """Whether anybody can have it: from an address, or converted from files with one."""
        return (self.url, self.conversion) != (UNKNOWN, UNKNOWN)


Sheet = Mapping[str, Sequence[SheetFile]]


def retrieval_of(sheet: Sheet, name: str, file: str) -> dict[str, Any]:
    """Return all that is needed to retrieve a file: its row and, in `originals`, those it is converted from.

    Args:
        sheet: data set -> its files.
        name: of the data set.
        file: of the file.

    Returns:
        Columns that decide the file's bytes, and DATA_SET/FILE -> the same of each original.

    Raises:
        RelataskError: there is no such row, or no such conversion.
    """
    entry = next((entry for entry in sheet.get(name, ()) if entry.file == file), None)
    if entry is None:
        raise RelataskError(f"config/datasets.tsv has no file {file} of {name}.")
    needs = needs_of(entry)
    return {**entry.as_dict(), "originals": {need: retrieval_of(sheet, *need.split("/")) for need in needs}}


def needs_of(entry: SheetFile) -> tuple[str, ...]:
    """Return what a file is converted from, as DATA_SET/FILE."""
    if entry.conversion == UNKNOWN:
        return ()
    return record_of(conversion_records(), entry.conversion, "conversion").needs


def conversion_files(sheet: Sheet, entry: SheetFile) -> list[str]:
    """Return the files of the package that convert an entry and what it is converted from."""
    if entry.conversion == UNKNOWN:
        return []
    found = [record_of(conversion_records(), entry.conversion, "conversion").file]
    for need in needs_of(entry):
        name, file = need.split("/")
        found += [
            other
            for original in sheet.get(name, ())
            if original.file == file
            for other in conversion_files(sheet, original)
        ]
    return sorted(set(found))


def read_sheet(path: Path) -> dict[str, list[SheetFile]]:
    """Return the files of each data set.

    Raises:
        RelataskError: the sheet is missing, lacks a column, or a row is wrong; the message names it.
    """
    columns = [field.name for field in fields(SheetFile)]
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets begin a file with a mark
    except FileNotFoundError:
        raise RelataskError(f"{path} does not exist; it lists the data sets that can be retrieved.") from None
    except UnicodeDecodeError as error:
        raise RelataskError(f"{path} is not UTF-8: {error}.") from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if not _skipped(line)]
    if not lines or lines[0][1].split("\t") != columns:
        raise RelataskError(f"{path}: the columns must be {', '.join(columns)}, separated by tabs.")
    sheet: dict[str, list[SheetFile]] = {}
    for line, row in lines[1:]:
        entry = _check(row.split("\t"), f"{path}, line {line}")
        known = sheet.setdefault(entry.name, [])
        if entry.file in {other.file for other in known}:
            raise RelataskError(f"{path}, line {line}: {entry.name} already has a file {entry.file!r}.")
        known.append(entry)
    return sheet


def _skipped(line: str) -> bool:
    return not line.strip() or line.startswith("#")


def _check(row: list[str], where: str) -> SheetFile:
    if len(row) != len(fields(SheetFile)):
        raise RelataskError(f"{where}: the row must have as many fields as the header.")
    entry = SheetFile(*row)
    if not re.fullmatch(r"[A-Za-z0-9_]+", entry.name):
        raise RelataskError(f"{where}: name {entry.name!r} may hold letters, digits and _ only.")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", entry.file) or entry.file.startswith("."):
        raise RelataskError(f"{where}: file {entry.file!r} must be a plain file name.")
    if Path(entry.path).is_absolute() or ".." in Path(entry.path).parts:
        raise RelataskError(f"{where}: path {entry.path!r} must lie below the mirror folder.")
    _check_addresses(entry, where)
    for column in ("sha256", "unpacked_sha256"):
        digest = getattr(entry, column)
        if digest != UNKNOWN and not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise RelataskError(
                f"{where}: {column} must be 64 hex digits, or {UNKNOWN} where it is not known."
            )
    if entry.bytes != UNKNOWN and not re.fullmatch(r"[0-9]{1,15}", entry.bytes):
        raise RelataskError(
            f"{where}: bytes {entry.bytes!r} must be the size of the file, or {UNKNOWN} if it is not known."
        )
    return entry


def _check_addresses(entry: SheetFile, where: str) -> None:
    """Refuse what is no address, and an address beside a conversion."""
    addresses = [] if entry.url == UNKNOWN else entry.url.split(" ")
    for address in addresses:
        if not re.match(r"https?://", address):
            raise RelataskError(
                f"{where}: url {address!r} must begin with http:// or https://, or be {UNKNOWN}."
            )
        if re.match(r"https?://[^/?#]*@", address):
            raise RelataskError(
                f"{where}: url {address!r} must hold no login, as everyone may read the sheet; put the file "
                "into a `mirror`."
            )
    if entry.conversion != UNKNOWN and (addresses or not re.fullmatch(r"[a-z0-9_]+", entry.conversion)):
        raise RelataskError(
            f"{where}: conversion {entry.conversion!r} must name a file of sources/originals, in a row "
            f"without an address, or {UNKNOWN}."
        )
