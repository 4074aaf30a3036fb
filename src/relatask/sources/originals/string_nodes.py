"""The proteins of STRING v9.1's human network: one for each gene."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "names, Entrez ids and symbols of the proteins of STRING v9.1",
    "needs": ("string_v9_1_graph/org.Hs.string.RData",),
}
COLUMNS = ("name", "seqid", "geneid", "symbol", "description")


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write a row for each vertex, in the order of the object."""
    from relatask.sources.originals._string_graph import read_string_graph
    from relatask.sources.originals._tables import write_rows

    vertices = read_string_graph(files["org.Hs.string.RData"]).vertices
    write_rows(out, COLUMNS, zip(*(vertices[name] for name in COLUMNS), strict=True), "\t")
