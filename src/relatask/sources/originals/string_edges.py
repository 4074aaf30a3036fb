"""The edges of STRING v9.1's human network, with the scores of all channels."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "pairs of human proteins with a combined score of 400 and more, each once, with all channels",
    "needs": ("string_v9_1_graph/org.Hs.string.RData",),
}
SCORES = (
    *("neighborhood_score", "fusion_score", "cooccurence_score", "coexpression_score"),
    *("experimental_score", "database_score", "textmining_score", "combined_score"),
)


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write a row for each edge, in the order of the object."""
    from relatask.sources.originals._string_graph import read_string_graph
    from relatask.sources.originals._tables import write_rows

    graph = read_string_graph(files["org.Hs.string.RData"])
    first, second = graph.vertices["seqid"][graph.ends]
    scores = [graph.edges[name] for name in SCORES]
    write_rows(out, ["protein1", "protein2", *SCORES], zip(first, second, *scores, strict=True), "\t")
