"""DBLP's four areas (Fu et al., 2020): authors who wrote together; a task for each venue."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.core.source_block import LABELS_ONLY, SourceBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "authors of DBLP's four areas, and the venues of their papers",
    "items": "nodes",
    "levels": ("node",),
    "inputs": ("node_graph",),
}


class DblpSource(SourceBlock):
    """Authors, with whom they wrote, and where."""

    not_here: ClassVar[Mapping[str, str]] = {"active": LABELS_ONLY}

    reader: Literal["dblp"] = Field(
        description="authors of DBLP's four areas, and the venues of their papers"
    )
    path: str = Field(
        description="folder of the files that torch_geometric.datasets.DBLP downloads, or the one that holds "
        "them as `raw`"
    )


def prepare(block: DblpSource, context: "SourceContext") -> "SourceTables":
    """Read authors, papers and venues."""
    from relatask.sources.nodes.dblp import dblp_tables

    return dblp_tables(Path(block.path), context.name)
