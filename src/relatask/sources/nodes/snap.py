"""Graphs as SNAP writes them: a file of edges, and a file of groups of nodes that are their labels.

An edge is a line with the numbers of two nodes, a group a line with the numbers of its nodes; lines that
begin with # say something about the file. A node is whatever number one of the files names.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.source_tables import SourceTables
from relatask.sources.nodes.tables import distinct_edges, group_labels, node_tables, without_group

MOST_DIGITS = 18  # of a number of 64 bits


def snap_tables(folder: Path, name: str) -> SourceTables:
    """Return the tables of a graph: nodes by their numbers, a task for each group, all labels known.

    Args:
        folder: holds one file of edges, *.ungraph, and one of groups, *.cmty.
        name: key of the source, for messages.

    Raises:
        RelataskError: a file is missing, a line is none of its kind, or there is no edge or group.
    """
    edge_file, group_file = _only(folder, "*.ungraph", name), _only(folder, "*.cmty", name)
    edges, groups = read_edges(edge_file), read_groups(group_file)
    numbers = np.unique(np.concatenate([edges.ravel(), *groups]))
    members = [np.searchsorted(numbers, group) for group in groups]
    found, counts = distinct_edges(np.searchsorted(numbers, edges), len(numbers))
    labels = group_labels(members, len(numbers))
    facts = {"source": name, "edges": counts, "nodes_without_group": without_group(labels)}
    tasks = pd.DataFrame({"name": [f"group {number}" for number in range(1, len(groups) + 1)]})
    return node_tables(numbers.astype(str).tolist(), found, tasks, labels, facts)


def read_edges(path: Path) -> np.ndarray:
    """Return the edges of a file as they stand there, int64 [m, 2].

    Raises:
        RelataskError: a line does not hold two numbers, or there is none.
    """
    rows = []
    for line, row in _lines(path):
        if len(row) != 2:
            raise RelataskError(
                f"{path}, line {line}: an edge is two numbers of nodes, and here are {len(row)}; correct the "
                "line."
            )
        rows.append(row)
    if not rows:
        raise RelataskError(f"{path} holds no edge; each of its lines must name two nodes.")
    return np.array(rows, np.int64)


def read_groups(path: Path) -> list[np.ndarray]:
    """Return the numbers of the nodes of each group, int64; one that a group names twice is in it once.

    Raises:
        RelataskError: a line holds what is no number, or there is none.
    """
    groups = [np.unique(np.array(row, np.int64)) for _, row in _lines(path)]
    if not groups:
        raise RelataskError(f"{path} holds no group; each of its lines must name the nodes of one.")
    return groups


def _lines(path: Path) -> Iterator[tuple[int, list[int]]]:
    """Yield the number of each line that holds numbers, and these."""
    try:
        with path.open(encoding="utf-8") as file:
            for line, text in enumerate(file, start=1):
                cells = text.split()
                if not cells or cells[0].startswith("#"):
                    continue
                for cell in cells:
                    if not (cell.isascii() and cell.isdigit() and len(cell) <= MOST_DIGITS):
                        raise RelataskError(
                            f"{path}, line {line}: {cell[:40]!r} is no number of a node; nodes are whole "
                            "numbers from 0 on."
                        )
                yield line, [int(cell) for cell in cells]
    except UnicodeDecodeError:
        raise RelataskError(
            f"{path} is no text; it must list numbers of nodes, a line for each edge or group."
        ) from None


def _only(folder: Path, pattern: str, name: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise RelataskError(f"sources.{name}: {folder} must hold one file {pattern}, but holds {names}.")
    return found[0]
