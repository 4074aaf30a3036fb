"""The tables of many graphs: an item for each graph, each node, and each pair that is asked about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.source_tables import SourceTables, source_tables
from relatask.inputs.neighbours import neighbours_of

LEVELS = ("graph", "node", "pair")
PART_COLUMNS = ("vector", "neighbours", "ends")  # of nodes and pairs
LINK = "link"  # the task of pairs: whether there is an edge


@dataclass(frozen=True)
class GraphSet:
    """G graphs of N nodes and E edges in total."""

    names: Sequence[str | None]  # of the graphs
    node_graph: np.ndarray  # int64 [N], rising: the graph of each node
    vectors: np.ndarray  # float32 [N, d], what is known of each node
    edges: np.ndarray  # int64 [E, 2], positions of nodes, the lower one first; rising, none twice, no loops
    # Further columns of the graphs' items, e.g. smiles of molecules.
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class LevelTask:
    """A task of graphs or of nodes, with the label of each."""

    name: str
    level: str  # graph or node
    labels: np.ndarray  # float [G] or [N], NaN where not known; positions of classes, or 0 and 1
    classes: tuple[str, ...] = ()  # of a task of kind class; else it is binary


@dataclass(frozen=True)
class Links:
    """Which edges are held out to be asked about."""

    share: float = 0.2  # of each graph's edges; 0: there is no task of links
    seed: int | None = 0  # of the draw; None: the last edges and the first pairs without one


def graph_tables(
    graphs: GraphSet, tasks: Sequence[LevelTask], links: Links, counts: Mapping[str, Any]
) -> SourceTables:
    """Return items of three levels, graphs first, then nodes, then pairs, and their labels.

    Nodes have the columns `vector` and `neighbours` (item_id of each, over all edges); pairs have `ends`, the
    item_id of two nodes. An edge that is an item is no message to whoever predicts links: see the input
    `graph_parts`.

    Raises:
        RelataskError: there is no graph, no graph has an edge to ask about, or there is no task.
    """
    n_graphs, n_nodes = len(graphs.names), len(graphs.node_graph)
    if not n_graphs or not n_nodes:
        raise RelataskError("the source has no graph with a node.")
    ends, owner, label = _pairs(graphs, links)
    if links.share and not len(ends):
        raise RelataskError(
            "no graph has an edge, and a pair of nodes without one, to ask about; set `links` to 0 to have "
            "no task of links."
        )
    offsets, flat = neighbours_of(graphs.edges, n_nodes)
    of_nodes = pd.Series(np.split(flat + np.int32(n_graphs), offsets[1:-1]), dtype=object)
    items = pd.concat(
        [
            pd.DataFrame({"source_id": list(graphs.names), "level": "graph", **graphs.columns}),
            pd.DataFrame(
                {
                    "level": "node",
                    "parent": graphs.node_graph,
                    "vector": pd.Series(list(graphs.vectors.astype(np.float32)), dtype=object),
                    "neighbours": of_nodes,
                }
            ),
            pd.DataFrame(
                {
                    "level": "pair",
                    "parent": owner,
                    "ends": pd.Series(list((ends + n_graphs).astype(np.int32)), dtype=object),
                }
            ),
        ],
        ignore_index=True,
    ).astype({"parent": "Int32"})
    items["source_id"] = items["source_id"].astype(object).where(items["source_id"].notna(), None)
    first = {"graph": 0, "node": n_graphs, "pair": n_graphs + n_nodes}
    named = [*tasks, LevelTask(LINK, "pair", label)] if links.share else [*tasks]
    if not named:
        raise RelataskError("there is no label of a graph or a node; leave `links` above 0 to learn links.")
    parts = []
    for place, task in enumerate(named):
        known = np.flatnonzero(~np.isnan(task.labels))
        parts.append(
            pd.DataFrame({"item": known + first[task.level], "task": place, "value": task.labels[known]})
        )
    described = pd.DataFrame(
        {
            "name": [task.name for task in named],
            "level": [task.level for task in named],
            "kind": ["class" if task.classes else "binary" for task in named],
        }
    )
    labels = pd.concat(parts, ignore_index=True)
    edged = np.bincount(graphs.node_graph[graphs.edges[:, 0]], minlength=n_graphs) > 0
    found = {
        "items": len(items),
        "graphs": n_graphs,
        "nodes": n_nodes,
        "edges": len(graphs.edges),
        "edges_asked_about": int(label.sum()),
        "graphs_without_node": n_graphs - len(np.unique(graphs.node_graph)),
        "graphs_without_edge": int((~edged).sum()),
        "graphs_without_pair": n_graphs - len(np.unique(owner)),
        "tasks": len(named),
        "labels": len(labels),
        **counts,
    }
    classes = {task.name: task.classes for task in named if task.classes}
    return source_tables(items, described, labels, "graph", classes, found)


def _pairs(graphs: GraphSet, links: Links) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs that are asked about: ends int64 [P, 2], graph int64 [P], and whether there is an edge.

    Of the E edges of a graph these are E - floor((1 - share) E), so at least one, and as many pairs without
    an edge; fewer of both where the graph has fewer pairs without one.
    """
    import torch

    from relatask.inputs.node_pairs import EdgeSet, ranks

    if not links.share:
        return np.empty((0, 2), np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
    sizes = np.bincount(graphs.node_graph, minlength=len(graphs.names))
    edges = EdgeSet(
        torch.from_numpy(graphs.edges),
        torch.from_numpy(graphs.node_graph[graphs.edges[:, 0]]),
        torch.from_numpy(np.concatenate([[0], np.cumsum(sizes)])),
    )
    counts = edges.counts - ((1 - links.share) * edges.counts + 1e-9).long()
    counts = torch.minimum(counts, edges.other_counts)
    generator = None if links.seed is None else torch.Generator().manual_seed(links.seed)
    if generator is None:
        chosen = ranks(edges.graph) >= (edges.counts - counts)[edges.graph]
    else:
        key = torch.rand(len(edges.graph), generator=generator)
        chosen = ranks(edges.graph, key) < counts[edges.graph]
    other_graph, others = edges.drawn_others(counts, generator)
    owner = torch.cat([edges.graph[chosen], other_graph])
    order = owner.argsort(stable=True)
    label = torch.cat([torch.ones(int(chosen.sum())), torch.zeros(len(others))])
    ends = torch.cat([edges.ends[chosen], others])
    return ends[order].numpy(), owner[order].numpy(), label[order].numpy()
