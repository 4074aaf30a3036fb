"""What separates the columns of a text, and what stands before the decimals of its numbers."""

import csv
import io
import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SIGNS = r"\s*(?:[<>=~≤≥]+\s*)?[-+]?"
_END = r"(?:[eE][-+]?\d+)?\s*"
# A cell that no mark of thousands explains: of these, groups have three digits and the first no leading zero.
_DECIMAL = rf"{_SIGNS}(?:\d*,(?:\d{{1,2}}|\d{{4,}})|0*,\d+|\d{{4,}},\d+){_END}"
_WITH_COMMA = rf"^({_SIGNS}\d*),(\d+{_END}%?\s*)$"
THOUSANDS_COMMA = rf"^{_SIGNS}[1-9]\d{{0,2}}(?:,\d{{3}})+\s*$"  # and no decimal comma is known
THOUSANDS_POINT = rf"^{_SIGNS}[1-9]\d{{0,2}}(?:\.\d{{3}})+(?:,\d+)?\s*$"  # where commas are decimal


def found_separator(sample: str, whole: bool, default: str) -> str:
    """Return the separator with which most rows of a text have as many cells as the first, and the most.

    Args:
        sample: the start of a text.
        whole: whether it is all of it; else its last row is cut off.
        default: for a text of one column.
    """
    best, found = (-1.0, 0, False), default
    for separator in SEPARATORS:
        try:
            rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator) if row]
        except csv.Error:
            continue
        rows = rows[:-1] if len(rows) > 1 and not whole else rows
        if not rows or len(rows[0]) < 2:
            continue
        width = len(rows[0])
        same = sum(len(row) == width for row in rows[1:]) / (len(rows) - 1) if rows[1:] else 1.0
        if (score := (same, width, separator != ",")) > best:  # commas also stand in numbers and in names
            best, found = score, separator
    return found


def has_decimal_commas(chunks: Iterable[str], separator: str) -> bool:
    """Whether some cell of a text is a number that can only have a decimal comma, e.g. 7,25 or 0,125.

    Args:
        chunks: of a text, in order.
        separator: of its columns, no comma.
    """
    around = rf'[{re.escape(separator)}"\r\n]'
    cell = re.compile(rf"(?:^|(?<={around})){_DECIMAL}%?\s*(?=$|{around})")
    rest = ""
    for chunk in chunks:
        text = rest + chunk
        end = max(text.rfind("\n"), text.rfind("\r"))
        rest = text[end + 1 :][-(1 << 20) :]
        if "," in text and cell.search(text[: end + 1]):
            return True
    return cell.search(rest) is not None


def with_points(column: pa.Array) -> pa.Array:
    """Return a column of texts in which a number's decimal comma is a point."""
    if not pc.any(pc.match_substring(column, ",")).as_py():
        return column
    return pc.replace_substring_regex(column, _WITH_COMMA, r"\1.\2")


def first_match(column: pa.Array, pattern: str) -> int | None:
    """Return the position of the first cell of a column of texts that a pattern matches."""
    found = pc.index(pc.fill_null(pc.match_substring_regex(column, pattern), False), True).as_py()
    return None if found < 0 else int(found)
