"""A graph of the user's own: a table of nodes x tasks, and a table of edges."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from relatask.core.kinds import Kind
from relatask.core.source_block import SourceBlock
from relatask.sources.table_keys import TableKeys

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "a table of nodes x tasks, and a table of edges",
    "items": "nodes",
    "levels": ("node",),
    "kinds": ("binary", "real", "class"),
    "inputs": ("node_graph",),
}


class NodeTableSource(SourceBlock, TableKeys):
    """Nodes with labels, and the edges among them."""

    reader: Literal["node_table"] = Field(description="a table of nodes x tasks, and a table of edges")
    path: str = Field(
        description="CSV, Excel or Parquet with a row for each node, also for those without label; empty "
        "cells were not measured"
    )
    edges_path: str = Field(
        description="CSV, Excel or Parquet with a row for each edge, whose first two columns name its nodes"
    )
    node_column: str = Field("node", description="column that names a node")
    task_columns: list[str] | None = Field(
        None, description="columns that are tasks; default: all the others"
    )
    item_columns: list[str] = Field([], description="columns that are no tasks and are kept with the nodes")
    vector_columns: list[str] = Field(
        [],
        description="columns of numbers, none missing, that are no tasks but the vector of a node",
    )
    values: Kind = Field(
        "binary", description="what the cells are: labels of 0 and 1, measured values, or classes"
    )

    def task_kinds(self) -> tuple[Kind, ...]:
        """The kind of all its tasks."""
        return (self.values,)

    def own_files(self) -> dict[str, str]:
        """Key -> file of the user's own that must be there."""
        return {**super().own_files(), "edges_path": self.edges_path}


def prepare(block: NodeTableSource, context: "SourceContext") -> "SourceTables":
    """Read nodes and edges."""
    from relatask.sources.nodes.user_tables import user_graph_tables

    return user_graph_tables(block, context)
