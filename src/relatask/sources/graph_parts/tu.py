"""Data sets of the TU Dortmund collection (Morris et al., 2020), read by torch-geometric."""

import warnings
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from relatask.core.errors import RelataskError
from relatask.data.source_tables import SourceTables
from relatask.sources.archives import opened_zip
from relatask.sources.graph_parts.tables import GraphSet, LevelTask, Links, graph_tables
from relatask.sources.nodes.tables import distinct_edges

# Files that are read. Not among them are measured values of graphs, and what is said of edges: counts.json
# names those of an archive.
READ = ("A", "graph_indicator", "graph_labels", "node_labels", "node_attributes")


def tu_tables(path: Path, name: str, links: Links) -> SourceTables:
    """Return the tables of a data set: the class of each graph, the class of each node, and links.

    A task of graphs or nodes is there where the data set has such labels; the attributes of nodes, without
    the labels of nodes, are their `vector`.

    Args:
        path: the archive NAME.zip of the collection.
        name: key of the source, for messages.
        links: which edges are asked about.

    Raises:
        RelataskError: it is no such archive, files contradict each other, or nodes have no attributes.
    """
    data = read_tu(path)
    edges, counts = distinct_edges(data.edges, len(data.node_graph))
    graphs = GraphSet(
        [f"graph {number + 1}" for number in range(data.n_graphs)], data.node_graph, data.x, edges
    )
    facts = {"source": name, "edges_given": counts, "files_not_read": data.not_read}
    return graph_tables(graphs, data.tasks, links, facts)


@dataclass(frozen=True)
class TuData:
    """The arrays of a data set of N nodes."""

    x: np.ndarray  # float32 [N, d], attributes
    node_graph: np.ndarray  # int64 [N], rising
    n_graphs: int
    edges: np.ndarray  # int64 [m, 2], numbers of nodes, as they are given
    tasks: list[LevelTask]
    not_read: list[str]  # files of the archive


def read_tu(path: Path) -> TuData:
    """Return what torch-geometric's `TUDataset` reads of an archive; nothing is downloaded.

    Raises:
        RelataskError: as `tu_tables`.
    """
    from torch_geometric.datasets import TUDataset

    name = path.stem
    with TemporaryDirectory(prefix="relatask-") as place:
        raw = Path(place, name, "raw")
        raw.mkdir(parents=True)
        not_read = _unpack(path, raw)
        indicator = _graph_of_nodes(path, raw / f"{name}_graph_indicator.txt")
        with redirect_stderr(StringIO()), warnings.catch_warnings(action="ignore"):  # it reports its progress
            try:
                dataset: Any = TUDataset(place, name, use_node_attr=True)
                data, slices = dataset._data, dataset.slices
                n_attributes = dataset.num_node_attributes
            except Exception as error:  # of any type: it trusts the files
                raise RelataskError(
                    f"{path}: torch_geometric.datasets.TUDataset cannot read the files "
                    f"({type(error).__name__}: {' '.join(str(error).split())[:200]}); get them again."
                ) from None
    x, n_graphs = data.x.numpy(), int(indicator.max()) + 1
    # Its edges begin at 0 in each graph; graphs behind the last one with an edge have no slice.
    of_graph = np.diff(slices["edge_index"].numpy())
    starts = np.searchsorted(indicator, np.arange(len(of_graph)))
    edges = data.edge_index.numpy().T + np.repeat(starts, of_graph)[:, None]
    if (edges < 0).any() or (edges >= len(x)).any() or np.diff(indicator[edges], axis=1).any():
        raise RelataskError(f"{path}: an edge of {name}_A.txt joins no two nodes of one graph; correct it.")
    tasks = []
    if data.y is not None:
        if data.y.shape != (n_graphs,):
            raise RelataskError(
                f"{path}: {name}_graph_labels.txt must hold one label for each of the {n_graphs} graphs of "
                f"{name}_graph_indicator.txt; correct it."
            )
        tasks.append(_task("graph class", "graph", data.y.numpy()))
    classes = x[:, n_attributes:]
    if classes.shape[1]:
        if (classes.sum(1) != 1).any():
            raise RelataskError(
                f"{path}: {name}_node_labels.txt gives several labels of a node; leave one column in it."
            )
        tasks.append(_task("node class", "node", classes.argmax(1)))
    return TuData(x[:, :n_attributes], indicator, n_graphs, edges, tasks, not_read)


def _unpack(path: Path, raw: Path) -> list[str]:
    """Write the files of a data set to a folder, and return the names of those that are not read.

    Raises:
        RelataskError: it is no archive of the collection, or its nodes have no attributes.
    """
    name, not_read = path.stem, []
    with opened_zip(path, str(path), "; get it again") as archive:
        for entry in archive.infolist():
            file = PurePosixPath(entry.filename).name
            if not file.startswith(f"{name}_") or not file.endswith(".txt"):
                continue
            if file.removeprefix(f"{name}_").removesuffix(".txt") in READ:
                # TUDataset leaves out a last line that does not end.
                Path(raw, file).write_bytes(archive.read(entry).rstrip() + b"\n")
            else:
                not_read.append(file)
    for file in (f"{name}_A.txt", f"{name}_graph_indicator.txt"):
        if not Path(raw, file).is_file():
            raise RelataskError(
                f"{path} holds no file {file}; an archive of the collection is called as its data set."
            )
    if not Path(raw, f"{name}_node_attributes.txt").is_file():
        raise RelataskError(
            f"{path}: nodes of {name} have no attributes, and what is learned of a node's label must not "
            "be read off that label; use a data set with attributes of nodes."
        )
    return sorted(not_read)


def _graph_of_nodes(path: Path, file: Path) -> np.ndarray:
    """Return the graph of each node, int64 [N], counted from 0.

    Raises:
        RelataskError: graphs are not numbered from 1 on, one after the other.
    """
    try:
        graph = np.array(file.read_text().split(), np.int64) - 1
    except ValueError:
        graph = np.empty(0, np.int64)
    if not len(graph) or graph[0] < 0 or (np.diff(graph) < 0).any():
        raise RelataskError(
            f"{path}: {file.name} must hold the number of each node's graph, counted from 1, the nodes of a "
            "graph one after the other; correct it."
        )
    return graph


def _task(name: str, level: str, labels: np.ndarray) -> LevelTask:
    """Return a task of classes that are numbered from 0."""
    classes = tuple(f"class {number + 1}" for number in range(int(labels.max()) + 1))
    return LevelTask(name, level, labels.astype(np.float64), classes)
