"""config/datasets.tsv: which files a data set consists of, where they come from and what they must hold.

Empty lines and lines that begin with # are comments.

Read while Snakemake parses, so only the standard library is used.
"""

import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from relatask.core.errors import RelataskError

UNKNOWN = "-"
DECIDING = ("file", "path", "url", "sha256", "bytes")


@dataclass(frozen=True)
class SheetFile:
    """One row: a file of a data set."""

    name: str  # of the data set
    file: str  # below results/raw/{name}/
    path: str  # below the mirror folder
    url: str  # official address, "-" where there is none that serves these bytes; a.zip#b is b of an archive
    sha256: str  # "-" where it is not known; then the first download is recorded beside the file
    bytes: str  # of the file, "-" where it is not known
    licence: str
    citation: str
    note: str = ""

    def as_dict(self) -> dict[str, str]:
        """What decides the file's bytes: a change in a citation must not download anything again."""
        return {key: value for key, value in asdict(self).items() if key in DECIDING}


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
    if entry.url != UNKNOWN and not re.match(r"https?://", entry.url):
        raise RelataskError(
            f"{where}: url {entry.url!r} must begin with http:// or https://, or be {UNKNOWN}."
        )
    if re.match(r"https?://[^/?#]*@", entry.url):
        raise RelataskError(
            f"{where}: url {entry.url!r} must hold no login, as everyone may read the sheet; put the file "
            "into a `mirror`."
        )
    if entry.sha256 != UNKNOWN and not re.fullmatch(r"[0-9a-f]{64}", entry.sha256):
        raise RelataskError(f"{where}: sha256 must be 64 hex digits, or {UNKNOWN} where it is not known.")
    if entry.bytes != UNKNOWN and not re.fullmatch(r"[0-9]{1,15}", entry.bytes):
        raise RelataskError(
            f"{where}: bytes {entry.bytes!r} must be the size of the file, or {UNKNOWN} if it is not known."
        )
    return entry
