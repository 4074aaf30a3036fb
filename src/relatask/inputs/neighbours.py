"""Who the neighbours of each node are, from the edges of a graph."""

import numpy as np


def neighbours_of(ends: np.ndarray, n_nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the neighbours of each node: an edge is there in both directions, once, whatever was listed.

    Args:
        ends: int64 [m, 2], positions of nodes; an edge may be there in one direction or in both, and again.
            One that leads from a node to itself is left out.
        n_nodes: number of nodes.

    Returns:
        Offsets int64 [n_nodes + 1] and positions int32 [2 E], rising within a node: node i has those from
        offset i to offset i + 1.
    """
    source, target = ends[ends[:, 0] != ends[:, 1]].T
    pairs = np.unique(np.concatenate([source * n_nodes + target, target * n_nodes + source]))
    source, target = np.divmod(pairs, max(n_nodes, 1))
    return np.searchsorted(source, np.arange(n_nodes + 1)), target.astype(np.int32)
