"""A user's graph: a table of nodes with their labels, and a table of edges."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.source_tables import SourceContext, SourceTables
from relatask.sources.nodes.tables import distinct_edges, node_tables
from relatask.sources.number_columns import read_numbers
from relatask.sources.readers import columns_of_tasks, kept_columns
from relatask.sources.table_files import TableFile, find_column, open_table, row_in_file
from relatask.sources.wide_table import read_wide

if TYPE_CHECKING:
    from relatask.sources.node_table import NodeTableSource


def user_graph_tables(block: "NodeTableSource", context: SourceContext) -> SourceTables:
    """Return the tables of a user's graph; edges that name a node without a row are left out and counted.

    Raises:
        RelataskError: a column or a name is missing, a node has two rows, a cell is no label or no number of
            a vector, the table of edges has no header, or all edges name nodes without a row; names file and
            row.
    """
    table = open_table(block.path, block.reading())
    key = find_column(table, block.node_column, "node_column")
    kept = kept_columns(table, [*block.item_columns, *context.columns], ("neighbours", "vector"))
    numbers = [find_column(table, name, "vector_columns") for name in dict.fromkeys(block.vector_columns)]
    tasks = columns_of_tasks(table, block.task_columns, [key, *kept, *numbers])
    table = replace(table, numbers=frozenset([*tasks, *numbers]))
    wide = read_wide(table, [key, *kept], tasks, None, [block.values] * len(tasks), names=[key])
    names = _names(table, key, wide.texts[key])
    ends, unknown = _edges(open_table(block.edges_path, block.reading()), names)
    edges, counts = distinct_edges(ends, len(names))
    counts = {**counts, "in": counts["in"] + unknown, "of_unknown_nodes": unknown}
    labelled = wide.labels["row_position"].nunique()
    facts = {"source": context.name, "edges": counts, "nodes_without_label": len(names) - labelled}
    vectors = {"vector": list(read_numbers(table, numbers))} if numbers else {}
    return node_tables(
        names.tolist(),
        edges,
        pd.DataFrame({"name": tasks, "kind": block.values}),
        wide.labels.rename(columns={"row_position": "item"}),
        facts,
        {tasks[task]: classes for task, classes in wide.classes.items()},
        **{name: pd.Series(wide.texts[name], dtype=object) for name in kept},
        **vectors,
    )


def _names(table: TableFile, key: str, cells: list[str | None]) -> pd.Index:
    """Return the names of the nodes, one of each row."""
    _require_texts(table, key, cells)
    names = pd.Index(cells, dtype=object)
    if not len(names):
        raise RelataskError(f"{table.path} has a header but no rows; it must hold one row per node.")
    if (again := names.duplicated()).any():
        row = int(np.argmax(again))
        raise RelataskError(
            f"{table.path}, {row_in_file(table, row)}: the node {cells[row]!r} has a row above; keep one."
        )
    return names


def _edges(table: TableFile, names: pd.Index) -> tuple[np.ndarray, int]:
    """Return positions of nodes, int64 [m, 2], and the number of edges that name a node without a row."""
    if len(table.names) < 2:
        raise RelataskError(f"{table.path} has one column; its first two must name the nodes of an edge.")
    header = [name.strip() for name in table.names[:2]]
    if table.path.suffix != ".parquet" and all(name in names for name in header):
        raise RelataskError(
            f"{table.path}: its first row, {', '.join(header)}, names two nodes and would not be read as an "
            "edge; the first row must name the columns, so put one such as from,to above."
        )
    texts = read_wide(table, table.names[:2], [], None, names=table.names[:2]).texts
    ends = []
    for name, cells in texts.items():
        _require_texts(table, name, cells)
        ends.append(names.get_indexer(pd.Index(cells, dtype=object)))
    found = np.stack(ends, axis=1).astype(np.int64)
    known = (found >= 0).all(axis=1)
    if len(found) and not known.any():
        raise RelataskError(
            f"{table.path}: no edge names two nodes of the table of nodes; its first edge is "
            f"{[cells[0] for cells in texts.values()]}. Call nodes the same in both tables."
        )
    return found[known], int((~known).sum())


def _require_texts(table: TableFile, column: str, cells: list[str | None]) -> None:
    """Raise where a cell that must name a node is empty."""
    if None in cells:
        row = cells.index(None)
        raise RelataskError(
            f"{table.path}, {row_in_file(table, row)}, column {column!r}: the name of a node is "
            "missing; write it, or remove the row."
        )
