"""Data sets of the TU Dortmund collection (Morris et al., 2020), read by torch-geometric."""

import warnings
from contextlib import redirect_stderr
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


def tu_tables(path: Path, name: str, links: Links) -> SourceTables:
    """Return the tables of a data set: the class of each graph, the class of each node, and links.

    A task of nodes is there where the data set has labels of nodes; the attributes of nodes, without those
    labels, are their `vector`.

    Args:
        path: the archive NAME.zip of the collection.
        name: key of the source, for messages.
        links: which edges are asked about.

    Raises:
        RelataskError: it is no such archive, or its nodes have no attributes.
    """
    data = read_tu(path)
    pieces = [len(graph) for graph in np.split(np.arange(len(data.x)), data.node_starts[1:])]
    node_graph = np.repeat(np.arange(len(pieces)), pieces)
    edges, counts = distinct_edges(data.edges, len(node_graph))
    graphs = GraphSet([f"graph {number + 1}" for number in range(len(pieces))], node_graph, data.x, edges)
    return graph_tables(graphs, data.tasks, links, {"source": name, "edges_given": counts})


class TuData:
    """The arrays of a data set."""

    def __init__(self, x: np.ndarray, node_starts: np.ndarray, edges: np.ndarray, tasks: list[LevelTask]):
        self.x, self.node_starts, self.edges, self.tasks = x, node_starts, edges, tasks


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
        with opened_zip(path, str(path), "; get it again") as archive:
            for entry in archive.infolist():
                file = PurePosixPath(entry.filename).name
                if file.startswith(f"{name}_") and file.endswith(".txt"):
                    Path(raw, file).write_bytes(archive.read(entry))
        if not Path(raw, f"{name}_A.txt").is_file():
            raise RelataskError(
                f"{path} holds no file {name}_A.txt; an archive of the collection is called as its data set."
            )
        if not Path(raw, f"{name}_node_attributes.txt").is_file():
            raise RelataskError(
                f"{path}: nodes of {name} have no attributes, and what is learned of a node's label must not "
                "be read off that label; use a data set with attributes of nodes."
            )
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
    x = data.x.numpy()
    starts = slices["x"].numpy()
    first_edge = slices["edge_index"].numpy()
    of_edge = np.repeat(starts[:-1], np.diff(first_edge))
    edges = data.edge_index.numpy().T + of_edge[:, None]
    tasks = [_task("graph class", "graph", data.y.numpy())]
    if x.shape[1] > n_attributes:
        tasks.append(_task("node class", "node", x[:, n_attributes:].argmax(1)))
    return TuData(x[:, :n_attributes], starts[:-1], edges, tasks)


def _task(name: str, level: str, labels: np.ndarray) -> LevelTask:
    """Return a task of classes that are numbered from 0."""
    classes = tuple(f"class {number + 1}" for number in range(int(labels.max()) + 1))
    return LevelTask(name, level, labels.astype(np.float64), classes)
