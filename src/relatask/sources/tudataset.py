"""Graphs of the TU Dortmund collection (Morris et al., 2020): classes of graphs and of nodes, and links."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.core.source_block import LABELS_ONLY, SourceBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "a data set of the TU Dortmund collection: classes of graphs and nodes, and links",
    "items": "graphs, nodes and pairs of nodes",
    "levels": ("graph", "node", "pair"),
    "kinds": ("class", "binary"),
    "inputs": ("graph_parts",),
    "schemes": ("random", "cross_validation"),
    "raw": "sheet",
}


class TuDatasetSource(SourceBlock):
    """Graphs, their nodes, and pairs of nodes."""

    not_here: ClassVar[Mapping[str, str]] = {"active": LABELS_ONLY}

    reader: Literal["tudataset"] = Field(
        description="a data set of the TU Dortmund collection: classes of graphs and nodes, and links"
    )
    path: str | None = Field(
        None,
        description="archive of the collection, named as its data set, e.g. ENZYMES.zip; without it the "
        "source is a name in datasets.tsv",
    )
    links: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="share of each graph's edges that are held out and asked about, with as many pairs of "
        "nodes that have none; 0: no task of links",
    )
    link_draw: Literal["random", "last"] = Field(
        "random",
        description="which edges are held out: drawn, or the last ones with the first pairs that have none, "
        "as released with SAME",
    )

    def task_kinds(self) -> tuple[Literal["binary", "class"], ...]:
        """Kinds of the tasks: classes of graphs and nodes, and whether there is a link."""
        return ("binary", "class") if self.links else ("class",)


def prepare(block: TuDatasetSource, context: "SourceContext") -> "SourceTables":
    """Read the archive."""
    from relatask.core.errors import RelataskError
    from relatask.sources.folder import folder_of
    from relatask.sources.graph_parts.tables import Links
    from relatask.sources.graph_parts.tu import tu_tables

    place = folder_of(block, context)
    if not block.path:
        archives = sorted(Path(place).glob("*.zip"))
        if len(archives) != 1:
            raise RelataskError(
                f"sources.{context.name}: {place} must hold one ZIP archive, not {len(archives)}."
            )
        place = archives[0]
    return tu_tables(place, context.name, Links(block.links, 0 if block.link_draw == "random" else None))
