"""Graphs in SNAP's layout, such as PPI and Wikipedia of node2vec: groups of nodes are tasks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.core.source_block import LABELS_ONLY, SourceBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "a graph in SNAP's layout: edges, and groups of nodes that are their labels",
    "items": "nodes",
    "levels": ("node",),
    "inputs": ("node_graph",),
    "raw": "sheet",
}


class SnapSource(SourceBlock):
    """A graph and groups of its nodes."""

    not_here: ClassVar[Mapping[str, str]] = {"active": LABELS_ONLY}

    reader: Literal["snap"] = Field(
        description="a graph in SNAP's layout: edges, and groups of nodes that are their labels"
    )
    path: str | None = Field(
        None,
        description="folder with one file *.ungraph (two nodes a line) and one *.cmty (the nodes of a group "
        "a line), also with .txt or .gz behind; without it the source is a name in datasets.tsv",
    )
    min_group: int = Field(1, ge=1, description="groups of fewer nodes are no tasks")


def prepare(block: SnapSource, context: "SourceContext") -> "SourceTables":
    """Read edges and groups."""
    from relatask.sources.folder import folder_of
    from relatask.sources.nodes.snap import snap_tables

    return snap_tables(folder_of(block, context), context.name, block.min_group)
