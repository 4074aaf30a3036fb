"""A sheet of a workbook as text with tabs; run as a process of its own, which has limits and may end alone.

A workbook of a few kilobytes may unpack to terabytes, or name a cell in its last row and column, for which
the library takes memory for all cells before it, and ends the process where there is none.

Arguments: the workbook, the sheet or "", the most bytes of memory and of the text, and the most seconds.
Standard output is the text: the header, whose first column is ROW, then the rows that are not empty, each
with its number. Standard error is a JSON object: `sheets`, the names of those with content, or `error`.
"""

import csv
import datetime
import json
import sys
from collections.abc import Iterator
from typing import Any

ROW = "\x01row"


def text_of(cell: object) -> str:
    """Return a cell as text: a date by ISO 8601, a whole number without a point."""
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime):
        whole = (cell.hour, cell.minute, cell.second, cell.microsecond) == (0, 0, 0, 0)
        return (cell.date() if whole else cell).isoformat()
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    return str(cell)


def filled_rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each row that is not empty, as programs show it, and its cells."""
    if sheet.start is None:
        return
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [text_of(cell) for cell in row]
        if any(cell.strip() for cell in cells):
            yield number, cells


def limit(memory: int, size: int, seconds: int) -> None:
    """Set limits, where the system has them."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, size),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (soft, hard))
        except (OSError, ValueError):
            continue


def main(path: str, wanted: str, memory: str, size: str, seconds: str) -> dict[str, Any]:
    """Write the sheet."""
    limit(int(memory), int(size), int(seconds))
    from python_calamine import SheetTypeEnum, SheetVisibleEnum, load_workbook

    book = load_workbook(path)
    kinds = {entry.name: entry for entry in book.sheets_metadata if entry.typ == SheetTypeEnum.WorkSheet}
    names = [name for name in book.sheet_names if name in kinds]
    if wanted and wanted not in names:
        return {"error": "sheet", "sheets": names}
    with_content, found = [], None
    for name in [wanted] if wanted else names:
        if not wanted and kinds[name].visible != SheetVisibleEnum.Visible:
            continue
        sheet = book.get_sheet_by_name(name)
        if sheet.start is None:
            continue
        with_content.append(name)
        found = found or sheet
    with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as text:
        out = csv.writer(text, delimiter="\t", lineterminator="\r\n")
        for place, (number, cells) in enumerate(filled_rows(found) if found else ()):
            out.writerow([number if place else ROW, *cells])
    return {"sheets": with_content}


if __name__ == "__main__":
    try:
        report = main(*sys.argv[1:])
    except BaseException as error:  # also the panics of the library
        report = {"error": f"{type(error).__name__}: {error}"}
    sys.stderr.write("\n" + json.dumps(report))
    sys.stderr.flush()
