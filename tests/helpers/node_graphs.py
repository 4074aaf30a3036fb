"""A small graph whose nodes are the items, as sources of graphs give it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from relatask.data.source_tables import SourceTables
from relatask.inputs.node_batch import NodeGraph
from relatask.inputs.node_graph import STEPS, return_chances
from relatask.plan.spec import RunSpec
from relatask.sources.nodes.tables import distinct_edges, node_tables
from tests.helpers.data_tables import prepared_folder
from tests.helpers.prepared_dataset import make_spec

FRACTIONS = (0.6, 0.2, 0.2)


def random_edges(n_nodes: int, n_edges: int, seed: int = 0) -> np.ndarray:
    """Ends of edges, int64 [m, 2], as a file may list them: some are loops, and some are there twice."""
    return np.random.default_rng(seed).integers(n_nodes, size=(n_edges, 2))


def random_graph(n_nodes: int = 60, n_tasks: int = 3, vectors: int = 0) -> SourceTables:
    """A graph of two halves that are rarely linked; a task says the half, but for a share that is noise.

    With `vectors` each node has one of so many numbers, which say nothing.
    """
    rng = np.random.default_rng(0)
    ends = random_edges(n_nodes, 6 * n_nodes, seed=1)
    half = ends >= n_nodes // 2
    ends = ends[(half[:, 0] == half[:, 1]) | (rng.random(len(ends)) < 0.1)]
    edges, counts = distinct_edges(ends, n_nodes)
    noise = rng.random((n_nodes, n_tasks)) < 0.1
    labels = ((np.arange(n_nodes) >= n_nodes // 2)[:, None] ^ noise).astype(np.float32)
    tasks = pd.DataFrame({"name": [f"task{number}" for number in range(n_tasks)]})
    further = {"vector": list(rng.normal(size=(n_nodes, vectors)).astype(np.float32))} if vectors else {}
    names = [f"node {number}" for number in range(n_nodes)]
    return node_tables(names, edges, tasks, labels, {"source": "halves", "edges": counts}, **further)


def on_nodes(method: str, features: str) -> RunSpec:
    """A small run of a method on nodes that start from some features."""
    options = {"features": features, "width": 8, "layers": 2, "dropout": 0.1}
    return make_spec(method, "node_gcn", split="random", encoder_options=options)


def write_nodes(
    folder: Path,
    n_nodes: int = 60,
    n_tasks: int = 3,
    vectors: int = 0,
    fractions: tuple[float, float, float] = FRACTIONS,
) -> SourceTables:
    """Write `random_graph` as a prepared data set with the input node_graph, split at random; return it."""
    tables = random_graph(n_nodes, n_tasks, vectors)
    prepared_folder(folder, tables, ["node_graph"], {"random": {"seeds": (0,), "fractions": fractions}})
    return tables


def graph_tensors(edges: Sequence[tuple[int, int]], n_nodes: int, vectors: int = 0) -> NodeGraph:
    """The graph of some edges as encoders read it, with `vectors` random numbers of each node."""
    receivers, senders = torch.tensor(sorted([*edges, *((j, i) for i, j in edges)])).T
    degrees = torch.bincount(receivers, minlength=n_nodes)
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), degrees.cumsum(0)])
    chances = return_chances(offsets.numpy(), senders.numpy().astype(np.int32), STEPS)
    own = torch.randn(n_nodes, vectors, generator=torch.Generator().manual_seed(1)) if vectors else None
    return NodeGraph(offsets, senders.contiguous(), degrees, torch.from_numpy(chances), own)
