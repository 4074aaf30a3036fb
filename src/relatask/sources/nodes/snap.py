"""Graphs as SNAP writes them: a file of edges, and a file of groups of nodes that are their labels.

An edge is a line with the numbers of two nodes, a group a line with the numbers of its nodes; lines that
begin with # say something about the file. A node is whatever number one of the files names.
"""

import gzip
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.source_tables import SourceTables
from relatask.sources.nodes.tables import distinct_edges, group_labels, node_tables, without_group

MOST_DIGITS = 18  # of a number of 64 bits
MOST_LABELS = 50_000_000  # of all nodes and groups; to prepare one takes some 100 bytes of memory
SUFFIXES = ("", ".txt", ".gz", ".txt.gz")  # SNAP's own names are as com-dblp.ungraph.txt.gz
log = logging.getLogger(__name__)


def snap_tables(folder: Path, name: str, min_group: int = 1) -> SourceTables:
    """Return the tables of a graph: nodes by their numbers, a task for each group, all labels known.

    Args:
        folder: holds one file of edges, *.ungraph, and one of groups, *.cmty, also with .txt and .gz behind.
        name: key of the source, for messages.
        min_group: nodes that a group must have to be a task.

    Raises:
        RelataskError: a file is missing, a line is none of its kind, there is no edge or group, or there are
            too many nodes x groups.
    """
    edge_file, group_file = _only(folder, "*.ungraph", name), _only(folder, "*.cmty", name)
    edges, groups = read_edges(edge_file), read_groups(group_file)
    numbers = np.unique(np.concatenate([edges.ravel(), *groups.values()]))
    kept = {line: group for line, group in groups.items() if len(group) >= min_group}
    _check_size(group_file, len(numbers), len(kept), min_group)
    if small := len(groups) - len(kept):
        log.info(
            "%s: %d of %d groups have fewer than %d nodes and are no tasks.",
            name,
            small,
            len(groups),
            min_group,
        )
    labels = group_labels([np.searchsorted(numbers, group) for group in kept.values()], len(numbers))
    found, counts = distinct_edges(np.searchsorted(numbers, edges), len(numbers))
    facts = {
        "source": name,
        "edges": counts,
        "nodes_without_group": without_group(labels),
        "small_groups": small,
    }
    tasks = pd.DataFrame({"name": [f"group {number}" for number in kept]})
    return node_tables(numbers.astype(str).tolist(), found, tasks, labels, facts)


def read_edges(path: Path) -> np.ndarray:
    """Return the edges of a file as they stand there, int64 [m, 2].

    Raises:
        RelataskError: a line does not hold two numbers, or there is none.
    """
    rows = []
    for line, row in _lines(path):
        if row and len(row) != 2:
            raise RelataskError(
                f"{path}, line {line}: an edge is two numbers of nodes, and here are {len(row)}; correct the "
                "line."
            )
        rows += [row] if row else []
    if not rows:
        raise RelataskError(f"{path} holds no edge; each of its lines must name two nodes.")
    return np.array(rows, np.int64)


def read_groups(path: Path) -> dict[int, np.ndarray]:
    """Return the numbers of the nodes of each group, int64; one that a group names twice is in it once.

    Groups are numbered as their lines, from 1, of which those with # do not count: a blank one leaves its
    number out.

    Raises:
        RelataskError: a line holds what is no number, or there is none.
    """
    rows = enumerate((row for _, row in _lines(path)), start=1)
    groups = {number: np.unique(np.array(row, np.int64)) for number, row in rows if row}
    if not groups:
        raise RelataskError(f"{path} holds no group; each of its lines must name the nodes of one.")
    return groups


def _check_size(path: Path, n_nodes: int, n_groups: int, min_group: int) -> None:
    if not n_groups:
        raise RelataskError(f"{path}: no group has {min_group} nodes; lower min_group.")
    if n_nodes * n_groups > MOST_LABELS:
        raise RelataskError(
            f"{path}: {n_nodes} nodes x {n_groups} groups are more than {MOST_LABELS} labels; raise "
            f"min_group, now {min_group}, so that only the larger groups are tasks."
        )


def _lines(path: Path) -> Iterator[tuple[int, list[int]]]:
    """Yield the number of each line that does not begin with #, and the numbers on it."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                cells = text.split()
                if cells and cells[0].startswith("#"):
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
    except (OSError, EOFError, zlib.error) as error:
        raise RelataskError(f"{path} cannot be read ({error}); get it again.") from None


def _only(folder: Path, pattern: str, name: str) -> Path:
    found = sorted(
        path for suffix in SUFFIXES for path in folder.glob(f"{pattern}{suffix}") if not path.is_dir()
    )
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise RelataskError(
            f"sources.{name}: {folder} must hold one file {pattern} (or {pattern}.txt, also .gz), but holds "
            f"{names}."
        )
    return found[0]
