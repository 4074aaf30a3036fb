"""Graphs as the authors of DeepWalk distribute them: a MATLAB file of the matrices `network` and `group`."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.source_tables import SourceTables
from relatask.sources.nodes.tables import distinct_edges, node_tables, without_group


def deepwalk_tables(path: Path, name: str) -> SourceTables:
    """Return the tables of a graph: nodes by their rows from 1, a task for each group, all labels known.

    In counts.json, edges.in are the entries of the matrix, of which an edge has two: one of each pair counts
    as repeated.

    Args:
        path: of the file.
        name: key of the source, for messages.

    Raises:
        RelataskError: it is no such file, or its matrices do not fit together or hold other numbers.
    """
    network, group = read_matrices(path)
    n_nodes = network.shape[0]
    edges, counts = distinct_edges(np.stack(network.nonzero(), axis=1).astype(np.int64), n_nodes)
    labels = group.toarray().astype(np.float32)
    facts = {"source": name, "edges": counts, "nodes_without_group": without_group(labels)}
    tasks = pd.DataFrame({"name": [f"group {number}" for number in range(1, labels.shape[1] + 1)]})
    return node_tables([str(row) for row in range(1, n_nodes + 1)], edges, tasks, labels, facts)


def read_matrices(path: Path) -> tuple[Any, Any]:
    """Return `network` [N, N] and `group` [N, T] of a file, as sparse matrices without zeros.

    The numbers of `network` are finite, those of `group` 1.

    Raises:
        RelataskError: there is no such file, it cannot be read, or the matrices are not of these shapes or
            hold other numbers.
    """
    from scipy.io import loadmat

    try:
        content = loadmat(str(path), variable_names=["network", "group"], appendmat=False)
        network, group = (content[key] for key in ("network", "group"))
        shapes = (tuple(network.shape), tuple(group.shape))
        n_nodes, n_groups = shapes[0][0], shapes[1][-1]
        fit = shapes == ((n_nodes, n_nodes), (n_nodes, n_groups)) and n_nodes and n_groups
        found = (_sparse(network), _sparse(group)) if fit else None
    except FileNotFoundError:
        raise RelataskError(f"there is no file {path}; give the path of a MATLAB file.") from None
    except KeyError as error:
        raise RelataskError(
            f"{path} holds no matrix {error}; it must hold `network` (nodes x nodes) and `group` (nodes x "
            "groups)."
        ) from None
    except Exception as error:  # scipy's reader says of a damaged file whatever fails first, of any type
        reason = "".join(letter for letter in " ".join(str(error).split())[:200] if letter.isprintable())
        raise RelataskError(
            f"{path} cannot be read as a MATLAB file of version 7 or below ({reason}); get it again, or save "
            "it with -v7."
        ) from None
    if found is None:
        raise RelataskError(
            f"{path}: `network` is {shapes[0]} and `group` {shapes[1]}, not nodes x nodes and nodes x groups."
        )
    _check_numbers(path, *found)
    return found


def _sparse(matrix: Any) -> Any:
    """Return a matrix by rows, after checking that no position of a damaged file is outside."""
    from scipy.sparse import csr_array, issparse

    if issparse(matrix):
        matrix.check_format(full_check=True)  # without it a wrong position reads and writes foreign memory
    found = csr_array(matrix)
    found.sum_duplicates()
    found.eliminate_zeros()
    return found


def _check_numbers(path: Path, network: Any, group: Any) -> None:
    """Refuse what is neither an edge nor a group, as NaN or class numbers in one column."""
    for name, matrix in (("network", network), ("group", group)):
        if np.iscomplexobj(matrix.data):
            raise RelataskError(f"{path}: `{name}` holds complex numbers; save its real part.")
    if not np.isfinite(network.data).all():
        raise RelataskError(
            f"{path}: `network` holds what is no finite number; it must be 0 where there is no link."
        )
    if (other := group.data[group.data != 1]).size:
        raise RelataskError(
            f"{path}: `group` holds {other[0]:g}; it must be 1 where a node is in a group and else 0, with a "
            "column for each group."
        )
