"""Nodes of one graph: who their neighbours are, how random walks come back to them, and their vectors.

A node without vectors is told apart by its place in the graph alone: by its degree, and by its random-walk
structural encoding (Dwivedi et al., 2022, "Graph neural networks with learnable structural and positional
representations", eq. 9), the chance that a walk from it is back after 1 ... k steps.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array
from relatask.inputs.cells import are_whole, numbers_in
from relatask.inputs.neighbours import neighbours_of
from relatask.inputs.vectors import featurise as vectors_of

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from relatask.inputs.node_batch import NodeGraph

INPUT = {
    "summary": "nodes of one graph: neighbours, returns of random walks, vectors",
    "whole": True,
    "one_graph": True,
}
VERSION = 1
STEPS = 16  # of a random walk, the k of Dwivedi et al.; they use 16 to 24
CACHED = 1 << 22  # bytes of the walks that are computed at a time, so that they stay in a core's cache


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return the graph among all n items, from their column `neighbours` (lists of item_id).

    Returns:
        node_neighbour_offsets: int64 [n + 1]; item i has the neighbours [offset i, offset i + 1).
        node_neighbours: int32 [2 edges], positions of items, rising within an item; an edge that one end
            lists is there in both directions, once, and none leads from an item to itself.
        node_encodings: float32 [n, 16], see `return_chances`.
        node_vectors: float32 [n, d], where the items have a column `vector`.
        And as counts edges and isolated_nodes.

    Raises:
        RelataskError: there is no column `neighbours`, a cell of it is no list of item_id, it names what is
            none of the items, or an item is there twice.
    """
    if "neighbours" not in items:
        raise RelataskError(
            "the items have no column `neighbours`; a node is known by its graph: give a table of all nodes "
            "of the graph, each with the item_id of its neighbours."
        )
    offsets, neighbours = neighbours_of(_ends(items), len(items))
    vectors = {"node_vectors": vectors_of(items)["vectors"]} if "vector" in items else {}
    return {
        "node_neighbour_offsets": offsets,
        "node_neighbours": neighbours,
        "node_encodings": return_chances(offsets, neighbours, STEPS),
        **vectors,
        "edges": np.array(len(neighbours) // 2),
        "isolated_nodes": np.array((np.diff(offsets) == 0).sum()),
    }


def _ends(items: "pd.DataFrame") -> np.ndarray:
    """Return the positions of both ends of each edge that the lists name, int64 [m, 2]."""
    n, item_ids = len(items), items["item_id"].to_numpy(np.int64)
    lists = [_ids_in(cell, item) for cell, item in zip(items["neighbours"], item_ids, strict=True)]
    node = np.repeat(np.arange(n), [len(own) for own in lists])
    named = np.concatenate([np.empty(0, np.int64), *lists])
    order = np.argsort(item_ids)
    if (again := np.diff(item_ids[order]) == 0).any():
        raise RelataskError(
            f"the item {item_ids[order][np.argmax(again)]} is there twice; give each node once."
        )
    place = order[np.searchsorted(item_ids, named, sorter=order).clip(max=n - 1)]
    if (unknown := item_ids[place] != named).any():
        first = int(np.argmax(unknown))
        raise RelataskError(
            f"the item {item_ids[node[first]]} has the neighbour {named[first]}, which is no item of the "
            "table; give a table of all nodes of the graph."
        )
    return np.stack([node, place], axis=1)


def _ids_in(cell: object, item: int) -> np.ndarray:
    """Return the ids int64 [k] that a cell of `neighbours` lists."""
    found = numbers_in(cell)
    if found is None or not are_whole(found).all():
        raise RelataskError(
            f"the neighbours of the item {item} are {cell!r:.60}; give a list of item_id, which are whole "
            "numbers, and an empty list where it has none."
        )
    return found.astype(np.int64)


def return_chances(offsets: np.ndarray, neighbours: np.ndarray, steps: int) -> np.ndarray:
    """Return the chance of a random walk to be back where it began after 1 ... `steps` steps, float32 [n, k].

    That is the diagonal of P^t, P = D^-1 A (Dwivedi et al., 2022, eq. 9), which S = D^-1/2 A D^-1/2 shares.
    S is symmetric, so the diagonal of S^(a + b) is the product of the columns of S^a and S^b, and half of the
    steps are enough. Some columns at a time are computed, in float64: memory grows with the edges, time with
    nodes x edges. A walk from a node without neighbours never returns: 0.

    Args:
        offsets: int64 [n + 1].
        neighbours: int [2 E], of each node, both directions of an edge.
        steps: k.
    """
    from scipy.sparse import csr_array

    n, degrees = len(offsets) - 1, np.diff(offsets)
    scale = 1 / np.sqrt(np.maximum(degrees, 1))
    values = np.repeat(scale, degrees) * scale[neighbours]
    walk = csr_array((values, neighbours, offsets), shape=(n, n))
    chances = np.zeros((n, steps), np.float32)
    width = max(8, CACHED // (8 * max(n, 1)))
    for start in range(0, n, width):
        own = slice(start, min(start + width, n))
        before = np.zeros((n, own.stop - start))  # columns of S^0
        before[np.arange(start, own.stop), np.arange(own.stop - start)] = 1.0
        now = walk[own].toarray().T.copy()  # of S^1
        for half in range(1, steps // 2 + 1):
            chances[own, 2 * half - 2] = np.einsum("ij,ij->j", before, now)
            chances[own, 2 * half - 1] = np.einsum("ij,ij->j", now, now)
            if 2 * half < steps:
                before, now = now, walk @ now
        if steps % 2:
            chances[own, steps - 1] = np.einsum("ij,ij->j", before, now)
    return chances


def facts() -> dict[str, Any]:
    """Return what features.json says of the encodings."""
    return {"random_walk_steps": STEPS}


def load(folder: Path, device: "torch.device | str" = "cpu") -> "NodeGraph":
    """Read the graph of a `features` folder and put it on `device`."""
    import torch

    from relatask.inputs.node_batch import NodeGraph

    def read(name: str) -> "torch.Tensor":
        return torch.from_numpy(np.array(read_array(folder / f"{name}.npy"))).to(device)

    offsets = read("node_neighbour_offsets")
    return NodeGraph(
        offsets=offsets,
        neighbours=read("node_neighbours").long(),
        degrees=offsets.diff(),
        encodings=read("node_encodings"),
        vectors=read("node_vectors") if (folder / "node_vectors.npy").exists() else None,
    )
