"""Many graphs whose graphs, nodes and pairs of nodes are the items."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array
from relatask.inputs.cells import are_whole, numbers_in
from relatask.inputs.neighbours import neighbours_of
from relatask.inputs.vectors import featurise as vectors_of

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from relatask.inputs.parts_batch import GraphParts

INPUT = {"summary": "graphs, their nodes and pairs of their nodes, with vectors of nodes", "whole": True}
VERSION = 1
LEVELS = ("graph", "node", "pair")  # their places are the levels of the arrays


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return the G graphs, N nodes and P pairs among n items.

    Graphs are numbered as they come, nodes graph by graph, pairs as they come.

    Args:
        items: `level` and `parent`; nodes have `vector` and `neighbours` (lists of item_id), pairs have
            `ends` (two of item_id).

    Returns:
        part_level: uint8 [n], place in LEVELS.
        part_place: int32 [n], number of the item among those of its level.
        graph_node_offsets: int64 [G + 1]; graph g has the nodes [offset g, offset g + 1).
        node_vectors: float32 [N, d].
        node_neighbour_offsets: int64 [N + 1].
        node_neighbours: int32 [2 E], numbers of nodes, rising within a node; an edge that one end lists is
            there in both directions, once, and none leads from a node to itself.
        edge_is_item: bool [2 E], whether the two ends are a pair among the items.
        pair_ends: int32 [P, 2], numbers of nodes.

    Raises:
        RelataskError: a column is missing, an item names what is not there or lies in another graph.
    """
    for column, of in (("level", "items"), ("vector", "nodes"), ("neighbours", "nodes")):
        if column not in items:
            raise RelataskError(
                f"the {of} have no column {column!r}; give a table with a row for each graph, each of its "
                "nodes and each pair that is asked about, as docs/graphs.md has it."
            )
    ids = items["item_id"].to_numpy(np.int64)
    level = _levels(items, ids)
    graph_ids, node_ids = ids[level == 0], ids[level == 1]
    nodes, pairs = items[level == 1], items[level == 2]
    of_node = _places(graph_ids, _parents(nodes), node_ids, "parent", "graph")
    of_pair = _places(graph_ids, _parents(pairs), ids[level == 2], "parent", "graph")
    order = np.argsort(of_node, kind="stable")  # graph by graph
    nodes, node_ids, of_node = nodes.iloc[order], node_ids[order], of_node[order]
    place = np.empty(len(items), np.int32)
    place[level == 0], place[level == 2] = np.arange(len(graph_ids)), np.arange(len(pairs))
    place[np.flatnonzero(level == 1)[order]] = np.arange(len(nodes))
    offsets, neighbours = _neighbours(nodes, node_ids)
    ends = _ends(pairs, node_ids)
    source = np.repeat(np.arange(len(nodes)), np.diff(offsets))
    _require_one_graph(source, neighbours, of_node, node_ids, "neighbour")
    _require_one_graph(ends[:, 0], ends[:, 1], of_node, node_ids, "pair")
    _require_pairs(ends, of_node[ends[:, 0]] == of_pair, ids[level == 2])
    asked = ends.min(axis=1) * len(nodes) + ends.max(axis=1)
    edges = np.minimum(source, neighbours) * len(nodes) + np.maximum(source, neighbours)
    return {
        "part_level": level.astype(np.uint8),
        "part_place": place,
        "graph_node_offsets": np.searchsorted(of_node, np.arange(len(graph_ids) + 1)),
        "node_vectors": vectors_of(nodes)["vectors"],
        "node_neighbour_offsets": offsets,
        "node_neighbours": neighbours,
        "edge_is_item": np.isin(edges, asked),
        "pair_ends": ends.astype(np.int32),
        "graphs": np.array(len(graph_ids)),
        "nodes": np.array(len(nodes)),
        "edges": np.array(len(neighbours) // 2),
        "pairs": np.array(len(pairs)),
    }


def _levels(items: "pd.DataFrame", ids: np.ndarray) -> np.ndarray:
    """Return the place in LEVELS of each item, after refusing others and items that are there twice."""
    names = items["level"].astype(object).to_numpy()
    level = np.array([LEVELS.index(name) if name in LEVELS else -1 for name in names], np.int64)
    if (level < 0).any():
        first = int(np.argmax(level < 0))
        raise RelataskError(
            f"the item {ids[first]} has the level {names[first]!r}; it can be {', '.join(LEVELS)}."
        )
    found, count = np.unique(ids, return_counts=True)
    if (count > 1).any():
        raise RelataskError(f"the item {found[np.argmax(count > 1)]} is there twice; give each item once.")
    if not (level == 1).any():
        raise RelataskError("there is no node among the items; a graph is known by its nodes.")
    return level


def _parents(parts: "pd.DataFrame") -> np.ndarray:
    """Return item_id of the graph of each node or pair, int64 [n]."""
    given = parts["parent"] if "parent" in parts else [None] * len(parts)
    found = np.array([_id_in(cell) for cell in given], np.float64)
    if (strange := np.isnan(found)).any():
        item = parts["item_id"].iloc[int(np.argmax(strange))]
        raise RelataskError(
            f"the item {item} has no parent that is a whole number, the item_id of its graph."
        )
    return found.astype(np.int64)


def _id_in(cell: object) -> float:
    """Return the item_id in a cell, NaN where it holds none; those of any table are exact as float64."""
    numbers = numbers_in([cell])
    return float(numbers[0]) if numbers is not None and are_whole(numbers).all() else np.nan


def _require_pairs(ends: np.ndarray, at_home: np.ndarray, ids: np.ndarray) -> None:
    """Refuse a pair of a node and itself, and one that lies in another graph than its parent."""
    for wrong, said in (
        (ends[:, 0] == ends[:, 1], "one node twice as its ends; a pair has two"),
        (~at_home, "another parent than its two nodes; give the graph that they lie in"),
    ):
        if wrong.any():
            raise RelataskError(f"the pair {ids[np.argmax(wrong)]} has {said}.")


def _places(known: np.ndarray, wanted: np.ndarray, owner: np.ndarray, what: str, of: str) -> np.ndarray:
    """Return the place of each wanted id among the known ones; `owner` holds the item that names it."""
    order = np.argsort(known)
    if not len(known):
        place, missing = np.zeros(len(wanted), np.int64), np.ones(len(wanted), bool)
    else:
        place = order[np.searchsorted(known, wanted, sorter=order).clip(max=len(known) - 1)]
        missing = known[place] != wanted
    if missing.any():
        first = int(np.argmax(missing))
        raise RelataskError(
            f"the item {owner[first]} has the {what} {wanted[first]}, which is no {of} among the items."
        )
    return place


def _neighbours(nodes: "pd.DataFrame", node_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets int64 [N + 1] and numbers int32 [2 E] of the neighbours that the lists name."""
    lists = _lists(nodes["neighbours"], node_ids, "neighbours")
    node = np.repeat(np.arange(len(nodes)), [len(own) for own in lists])
    named = np.concatenate([np.empty(0, np.int64), *lists])
    place = _places(node_ids, named, node_ids[node], "neighbour", "node")
    return neighbours_of(np.stack([node, place], axis=1), len(nodes))


def _ends(pairs: "pd.DataFrame", node_ids: np.ndarray) -> np.ndarray:
    """Return the numbers of the two nodes of each pair, int64 [P, 2]."""
    if not len(pairs):
        return np.empty((0, 2), np.int64)
    if "ends" not in pairs:
        raise RelataskError("the pairs have no column 'ends', the item_id of their two nodes.")
    ids = pairs["item_id"].to_numpy(np.int64)
    lists = _lists(pairs["ends"], ids, "ends")
    sizes = np.array([len(own) for own in lists])
    if (sizes != 2).any():
        first = int(np.argmax(sizes != 2))
        raise RelataskError(f"the pair {ids[first]} has {sizes[first]} ends; a pair has two.")
    ends = np.concatenate(lists)
    return _places(node_ids, ends, np.repeat(ids, 2), "end", "node").reshape(-1, 2)


def _lists(column: "pd.Series", ids: np.ndarray, name: str) -> list[np.ndarray]:
    """Return the lists of item_id in a column, int64 each."""
    found = []
    for item, cell in zip(ids, column, strict=True):
        numbers = numbers_in(cell)
        if numbers is None or not are_whole(numbers).all():
            raise RelataskError(
                f"the {name} of the item {item} are {cell!r:.60}; give a list of item_id, which are whole "
                "numbers."
            )
        found.append(numbers.astype(np.int64))
    return found


def _require_one_graph(
    first: np.ndarray, second: np.ndarray, of_node: np.ndarray, node_ids: np.ndarray, what: str
) -> None:
    """Refuse two nodes of different graphs."""
    if (apart := of_node[first] != of_node[second]).any():
        place = int(np.argmax(apart))
        raise RelataskError(
            f"the nodes {node_ids[first[place]]} and {node_ids[second[place]]} lie in different graphs, but "
            f"one is a {what} of the other."
            if what == "neighbour"
            else f"the nodes {node_ids[first[place]]} and {node_ids[second[place]]} are a pair, but lie in "
            "different graphs."
        )


def load(folder: Path, device: "torch.device | str" = "cpu") -> "GraphParts":
    """Read the graphs of a `features` folder and put them on `device`."""
    import torch

    from relatask.inputs.parts_batch import GraphParts

    def read(name: str) -> "torch.Tensor":
        return torch.from_numpy(np.array(read_array(folder / f"{name}.npy"))).to(device)

    return GraphParts(
        level=read("part_level").long(),
        place=read("part_place").long(),
        node_offsets=read("graph_node_offsets"),
        vectors=read("node_vectors"),
        neighbour_offsets=read("node_neighbour_offsets"),
        neighbours=read("node_neighbours").long(),
        is_item=read("edge_is_item"),
        ends=read("pair_ends").long(),
    )
