"""DBLP's four areas (Fu et al., 2020, MAGNN) as torch-geometric reads them: authors, papers, venues."""

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.source_tables import SourceTables
from relatask.sources.nodes.tables import distinct_edges, node_tables, without_group

FILES = (  # that torch_geometric.datasets.DBLP would download where one is missing
    "adjM.npz",
    "features_0.npz",
    "features_1.npz",
    "features_2.npy",
    "labels.npy",
    "node_types.npy",
    "train_val_test_idx.npz",
)
FEATURES = {"author": "features_0.npz", "paper": "features_1.npz", "term": "features_2.npy"}  # as numbered


def dblp_tables(folder: Path, name: str) -> SourceTables:
    """Return the tables of the graph of authors, in the order of the files, a task for each venue.

    Two authors are neighbours where they wrote a paper together; an author has label 1 of a venue where one
    of their papers appeared there. The files give venues no names: tasks are numbered as they are. The items'
    `vector` is the author's bag of words. In counts.json, edges.in are pairs of authors of a paper, so that
    those who wrote several papers together are repeated.

    L2T-MITTEN (section 5.1, table 4) has a DBLP of its own, 14,704 authors and 18 venues, and links those who
    wrote at least two papers together in 2014 to 2019; these files say no years, and one paper is a link.

    Args:
        folder: holds the files, or the folder `raw` with them.
        name: key of the source, for messages.

    Raises:
        RelataskError: a file is missing, torch-geometric cannot read them, or they differ in their nodes.
    """
    graph = read_dblp(folder)
    n_authors, n_papers = len(graph["author"].x), len(graph["paper"].x)
    n_venues = int(graph["conference"].num_nodes)
    wrote = _incidence(graph, "author", "paper", (n_authors, n_papers))
    appeared = _incidence(graph, "paper", "conference", (n_papers, n_venues))
    labels = ((wrote @ appeared).toarray() > 0).astype(np.float32)
    edges, counts = distinct_edges(_pairs_of_authors(wrote), n_authors)
    facts = {"source": name, "edges": counts, "authors_without_venue": without_group(labels)}
    tasks = pd.DataFrame({"name": [f"venue {number}" for number in range(1, n_venues + 1)]})
    names = [f"author {number}" for number in range(1, n_authors + 1)]
    vectors = list(graph["author"].x.numpy().astype(np.float32))
    return node_tables(names, edges, tasks, labels, facts, vector=vectors)


def read_dblp(folder: Path) -> Any:
    """Return what torch-geometric makes of the files, a `HeteroData`; nothing is downloaded.

    Raises:
        RelataskError: as `dblp_tables`.
    """
    raw = folder / "raw" if (folder / "raw").is_dir() else folder
    if missing := [file for file in FILES if not (raw / file).is_file()]:
        raise RelataskError(
            f"{raw} lacks {missing[0]!r} of DBLP as torch_geometric.datasets.DBLP reads it; unpack its "
            "archive there."
        )
    from torch_geometric.datasets import DBLP

    with (
        TemporaryDirectory(prefix="relatask-") as place,
        redirect_stderr(StringIO()),
    ):  # it reports its progress
        Path(place, "raw").symlink_to(
            raw.resolve()
        )  # what the loader writes lies beside, and not in the user's folder
        try:
            graph = DBLP(place)[0]
            sizes = _sizes(raw)
        except Exception as error:  # of any type: it trusts the files
            raise RelataskError(
                f"{raw}: torch_geometric.datasets.DBLP cannot read the files "
                f"({type(error).__name__}: {' '.join(str(error).split())[:200]}); get them again."
            ) from None
    for sort, file in FEATURES.items():
        if len(graph[sort].x) != sizes[sort]:
            raise RelataskError(
                f"{raw}: {file} has {len(graph[sort].x)} rows, but node_types.npy {sizes[sort]} nodes of the "
                f"sort {sort}; get the files again."
            )
    if (n_nodes := graph.num_nodes) != sizes["all"]:
        raise RelataskError(
            f"{raw}: adjM.npz has {sizes['all']} rows, but node_types.npy {n_nodes} nodes; get the files "
            "again."
        )
    return graph


def _sizes(raw: Path) -> dict[str, int]:
    """Return how many nodes of each sort the files list, and how many rows the matrix of their links has."""
    types = np.load(raw / "node_types.npy", allow_pickle=False)
    found = {sort: int((types == number).sum()) for number, sort in enumerate(FEATURES)}
    with np.load(raw / "adjM.npz", allow_pickle=False) as matrix:
        return {**found, "all": int(matrix["shape"][0])}


def _incidence(graph: Any, source: str, target: str, shape: tuple[int, int]) -> Any:
    """Return which nodes of one sort are linked to which of another, a sparse matrix of 0 and 1."""
    from scipy.sparse import csr_array

    if (source, "to", target) not in graph.edge_types:
        raise RelataskError(f"DBLP: the files link no {source} to a {target}; get them again.")
    rows, columns = graph[source, "to", target].edge_index.numpy()
    found = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    found.data[:] = 1  # where an entry is there twice
    return found


def _pairs_of_authors(wrote: Any) -> np.ndarray:
    """Return a row for each paper and pair of its authors, int64 [m, 2]."""
    papers = wrote.T.tocsr()
    pairs = [np.empty((0, 2), np.int64)]
    for start, end in zip(papers.indptr[:-1], papers.indptr[1:], strict=True):
        authors = papers.indices[start:end]
        first, second = np.triu_indices(len(authors), k=1)
        pairs.append(np.stack([authors[first], authors[second]], axis=1).astype(np.int64))
    return np.concatenate(pairs)
