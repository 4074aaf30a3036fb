"""The tables of a graph whose nodes are the items, with what was said of its edges counted."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from relatask.data.source_tables import SourceTables, source_tables
from relatask.inputs.neighbours import neighbours_of

LEVEL = "node"
log = logging.getLogger(__name__)


def distinct_edges(ends: np.ndarray, n_nodes: int) -> tuple[np.ndarray, dict[str, int]]:
    """Return each edge once, int64 [E, 2] with the lower end first, and what became of all that were given.

    Edges have no direction. One that leads from a node to itself is left out, for methods add such edges
    themselves; and so is one that was there before, in either direction.

    Args:
        ends: int64 [m, 2], positions of nodes.
        n_nodes: number of nodes.
    """
    low, high = ends.min(axis=1), ends.max(axis=1)
    different = low != high
    keys = np.unique(low[different] * n_nodes + high[different])
    loops = len(ends) - int(different.sum())
    counts = {
        "in": len(ends),
        "self_loops": loops,
        "repeated": len(ends) - loops - len(keys),
        "out": len(keys),
    }
    return np.stack(np.divmod(keys, max(n_nodes, 1)), axis=1), counts


def node_tables(
    names: Sequence[str],
    edges: np.ndarray,
    tasks: pd.DataFrame,
    labels: np.ndarray | pd.DataFrame,
    counts: Mapping[str, Any],
    classes: Mapping[str, Sequence[str]] | None = None,
    **columns: Any,
) -> SourceTables:
    """Return the tables of a graph; items have the column `neighbours`, lists of item_id.

    Nodes without an edge or a label stay: others are predicted through them, and they may be predicted. How
    many nodes and edges there are is logged, and how many edges are left out and why.

    Args:
        names: what the source calls its N nodes; N is not 0.
        edges: int64 [E, 2], as `distinct_edges` returns them.
        tasks: as `source_tables` reads them.
        labels: 0 and 1 [N, T], all of them known; or rows with item, task and value.
        counts: facts for counts.json: `source`, its name, and `edges`, as `distinct_edges` counts them and
            with `of_unknown_nodes` where an edge may name such; and further ones.
        classes: of tasks of kind class.
        **columns: further columns of the items, e.g. `vector`.
    """
    if isinstance(labels, np.ndarray):
        item, task = np.indices(labels.shape)
        labels = pd.DataFrame({"item": item.ravel(), "task": task.ravel(), "value": labels.ravel()})
    offsets, flat = neighbours_of(edges, len(names))
    neighbours = np.split(flat, offsets[1:-1])
    items = pd.DataFrame(
        {
            "source_id": pd.Series(names, dtype=object),
            "neighbours": pd.Series(neighbours, dtype=object),
            **columns,
        }
    )
    found = {
        "items": len(items),
        "tasks": len(tasks),
        "labels": len(labels),
        "isolated_nodes": sum(len(own) == 0 for own in neighbours),
        **counts,
    }
    _log_counts(found)
    return source_tables(items, tasks, labels, LEVEL, classes, found)


def _log_counts(counts: Mapping[str, Any]) -> None:
    edges = counts["edges"]
    log.info(
        "%s: %d nodes (%d without an edge), %d labels in %d tasks; %d edges -> %d (left out: %d self loops, "
        "%d repeated, %d of unknown nodes).",
        counts["source"],
        counts["items"],
        counts["isolated_nodes"],
        counts["labels"],
        counts["tasks"],
        edges["in"],
        edges["out"],
        edges["self_loops"],
        edges["repeated"],
        edges.get("of_unknown_nodes", 0),
    )


def group_labels(groups: Sequence[np.ndarray], n_nodes: int) -> np.ndarray:
    """Return labels [N, T]: 1 where a node is in a group, given as positions of nodes, and 0 elsewhere."""
    labels = np.zeros((n_nodes, len(groups)), np.float32)
    for column, members in enumerate(groups):
        labels[members, column] = 1.0
    return labels


def without_group(labels: np.ndarray) -> int:
    """Return how many nodes are in no group at all, by their labels [N, T]."""
    return int((~labels.any(axis=1)).sum())
