"""Small graphs whose graphs, nodes and pairs of nodes are items."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from relatask.core.registry import capabilities
from relatask.data.source_tables import SourceTables
from relatask.inputs import graph_parts
from relatask.inputs.arrays import write_features
from relatask.inputs.parts_batch import GraphParts
from relatask.plan.spec import RunSpec
from relatask.sources.graph_parts.tables import GraphSet, LevelTask, Links, graph_tables
from relatask.sources.nodes.tables import distinct_edges
from tests.helpers.data_tables import prepared_folder
from tests.helpers.prepared_dataset import make_spec


def random_graphs(
    n_graphs: int = 20,
    width: int = 4,
    classes: Sequence[str] = ("red", "green", "blue"),
    seed: int = 0,
    share: float = 0.3,
) -> SourceTables:
    """Graphs of 4 to 9 nodes; a node's attributes tell its class, which is often that of its neighbours."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 10, n_graphs)
    graph = np.repeat(np.arange(n_graphs), sizes)
    starts = np.cumsum(sizes) - sizes
    kind = rng.integers(len(classes), size=len(graph))
    vectors = rng.random((len(graph), width)).astype(np.float32)
    vectors[np.arange(len(graph)), kind % width] += 1
    first = np.repeat(np.arange(len(graph)), 3)
    second = starts[graph[first]] + rng.integers(sizes[graph[first]])
    alike = (kind[first] == kind[second]) | (rng.random(len(first)) < 0.3)
    edges, _ = distinct_edges(np.stack([first, second], 1)[alike], len(graph))
    most = np.array(
        [np.bincount(kind[graph == own], minlength=len(classes)).argmax() for own in range(n_graphs)]
    )
    tasks = [
        LevelTask("graph class", "graph", most.astype(float), tuple(classes)),
        LevelTask("node class", "node", kind.astype(float), tuple(classes)),
    ]
    graphs = GraphSet([f"graph {number}" for number in range(n_graphs)], graph, vectors, edges)
    return graph_tables(graphs, tasks, Links(share), {"source": "random"})


def on_levels(method: str, **options: object) -> RunSpec:
    """A small run of a method on graphs, nodes and pairs; `options` are those of the method."""
    ability = capabilities("methods", method)
    encoder = "residual_gcn" if ability.uses_encoder else None
    own = {"options": {**ability.options, **options}}
    small = {"encoder_options": {**capabilities("encoders", "residual_gcn").options, "width": 8, "layers": 2}}
    return make_spec(method, encoder, split="random", **own, **(small if encoder else {}))


def write_levels(folder: Path, n_graphs: int = 30) -> SourceTables:
    """Write `random_graphs` as a prepared data set with the input graph_parts, split at random; return it."""
    tables = random_graphs(n_graphs)
    splits = {"random": {"seeds": (0,), "fractions": (0.6, 0.2, 0.2)}}
    prepared_folder(folder, tables, ["graph_parts"], splits)
    return tables


def parts_of(tables: SourceTables, folder: Path) -> GraphParts:
    """Return the tensors of the input, by way of its files."""
    write_features([tables.items], ["graph_parts"], folder)
    return graph_parts.load(folder)


def label_table(tables: SourceTables, level: str, count: int) -> torch.Tensor:
    """Return the labels of the first task of a level, float32 [count, 1], by item within the level."""
    items = tables.items.reset_index(drop=True)
    own = np.flatnonzero((items["level"] == level).to_numpy())
    task = tables.tasks.loc[tables.tasks["level"] == level, "task_id"].iloc[0]
    labels = tables.labels[tables.labels["task_id"] == task].set_index("item_id")["value"]
    return torch.from_numpy(labels.reindex(own).to_numpy(np.float32, copy=True)[:, None])[:count]
