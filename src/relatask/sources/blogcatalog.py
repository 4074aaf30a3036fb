"""BlogCatalog (Tang and Liu, 2009): bloggers and who knows whom; a task for each group that they joined.

Read as the authors of DeepWalk (Perozzi et al., 2014) distribute it; their other graphs are laid out alike.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.core.source_block import LABELS_ONLY, SourceBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "a graph in the layout of BlogCatalog: a MATLAB file of a network and groups",
    "items": "nodes",
    "levels": ("node",),
    "inputs": ("node_graph",),
    "raw": "sheet",
}
FILE = "blogcatalog.mat"


class BlogCatalogSource(SourceBlock):
    """Bloggers, whom they know, and their groups."""

    not_here: ClassVar[Mapping[str, str]] = {"active": LABELS_ONLY}

    reader: Literal["blogcatalog"] = Field(
        description="a graph in the layout of BlogCatalog: a MATLAB file of a network and groups"
    )
    path: str | None = Field(
        None,
        description="MATLAB file with the matrices `network` (nodes x nodes) and `group` (nodes x groups); "
        "without it the source is a name in datasets.tsv",
    )


def prepare(block: BlogCatalogSource, context: "SourceContext") -> "SourceTables":
    """Read network and groups."""
    from relatask.sources.folder import folder_of
    from relatask.sources.nodes.deepwalk import deepwalk_tables

    place = folder_of(block, context)
    return deepwalk_tables(place if block.path else Path(place, FILE), context.name)
