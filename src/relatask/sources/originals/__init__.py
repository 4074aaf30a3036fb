"""Conversions of public originals into the files that sources read, one file each.

A conversion is a file with a literal ``CONVERSION = {...}``, which is read without importing it, and a
function ``convert(files, out)``: `files` are the paths of its originals by the names of their files, `out` a
text file that it writes to (UTF-8, lines end in LF). A row of config/datasets.tsv names it in the column
`conversion`, and what it wrote is compared with the `unpacked_sha256` of that row; packing is done elsewhere.
The same originals give the same text: nothing of the time, the machine or the order of a set enters it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from relatask.core.plugins import Record
from relatask.core.records import records


@dataclass(frozen=True)
class ConversionRecord(Record):
    """What a conversion says of itself; each field but name and file is a key of its ``CONVERSION``."""

    needs: tuple[str, ...]  # its originals as DATA_SET/FILE of config/datasets.tsv


def conversion_records() -> Mapping[str, ConversionRecord]:
    """Return name -> record of every conversion."""
    return records("sources/originals", "CONVERSION", ConversionRecord)
