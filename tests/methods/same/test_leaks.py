"""Whether an edge that is asked about tells of itself: not by default, and it does as released."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.data.source_tables import SourceTables
from relatask.encoders import residual_gcn
from relatask.engine.kinds import mean_metric
from relatask.inputs.parts_batch import NODE, PAIR, GraphParts
from relatask.methods.same.network import features
from relatask.methods.same.readout import task_planes
from relatask.methods.same.scoring import by_level
from relatask.sources.graph_parts.tables import GraphSet, LevelTask, Links, graph_tables
from tests.helpers.level_graphs import parts_of, random_graphs


def without_held_out(tables: SourceTables) -> SourceTables:
    """The same items, but no node lists a neighbour by an edge that is asked about."""
    items = tables.items.copy()
    ends = items.loc[items["level"] == "pair", "ends"]
    asked = {tuple(sorted(pair.tolist())) for pair in ends}
    nodes = items["level"] == "node"
    kept = [
        np.array([other for other in own if tuple(sorted((item, other))) not in asked], np.int32)
        for item, own in zip(items.loc[nodes, "item_id"], items.loc[nodes, "neighbours"], strict=True)
    ]
    items.loc[nodes, "neighbours"] = pd.Series(kept, index=items.index[nodes], dtype=object)
    tables.items = items
    return tables


def embeddings(parts: GraphParts, shown: bool) -> dict[int, torch.Tensor]:
    """What a classifier reads of all items, by an untrained encoder."""
    torch.manual_seed(0)
    encoder = residual_gcn.build(parts.n_features, 8, 2)
    rows = torch.arange(len(parts))
    with torch.inference_mode():
        found = by_level(parts, rows, lambda x, _: encoder.states(x), features, shown)
    return {level: values[places.argsort()] for level, (places, values) in found.items()}


def test_edges_that_are_asked_about_change_nothing_of_their_pairs(tmp_path: Path) -> None:
    parts = []
    for name, tables in (("with", random_graphs()), ("without", without_held_out(random_graphs()))):
        folder = tmp_path / name
        folder.mkdir()
        parts.append(parts_of(tables, folder))
    assert len(parts[0].neighbours) > len(parts[1].neighbours)
    with_edges, without = (embeddings(own, shown=False) for own in parts)
    torch.testing.assert_close(with_edges[PAIR], without[PAIR], rtol=0, atol=0)
    assert not torch.allclose(with_edges[NODE], without[NODE])  # nodes are read with all edges
    assert not torch.allclose(embeddings(parts[0], shown=True)[PAIR], without[PAIR])
    # What encoders read of any items, e.g. in a shared bottom, has no such edge at all.
    batch = parts[0].batch(torch.arange(len(parts[0])))
    assert len(batch.source) == len(parts[1].neighbours)


def planted(n_graphs: int = 40) -> SourceTables:
    """Graphs of 12 nodes without attributes that differ; half of the nodes are linked in threes.

    All edges are asked about: an end of one has a neighbour only where that edge carries messages.
    """
    rng = np.random.default_rng(0)
    edges = []
    for graph in range(n_graphs):
        nodes = 12 * graph + rng.permutation(12)[:6]
        edges += [sorted(pair) for a, b, c in nodes.reshape(2, 3).tolist() for pair in ((a, b), (b, c))]
    graphs = GraphSet(
        names=[f"graph {number}" for number in range(n_graphs)],
        node_graph=np.repeat(np.arange(n_graphs), 12),
        vectors=np.ones((12 * n_graphs, 2), np.float32),
        edges=np.array(sorted(edges)),
    )
    nothing = LevelTask("nothing", "graph", rng.integers(2, size=n_graphs).astype(float))
    return graph_tables(graphs, [nothing], Links(share=0.999), {"source": "planted"})


@pytest.mark.parametrize(("shown", "least", "most"), [(False, 0.5, 0.5), (True, 0.7, 1.0)])
def test_a_feature_that_only_held_out_edges_reveal_is_not_seen(
    shown: bool, least: float, most: float, tmp_path: Path
) -> None:
    tables = planted()
    parts = parts_of(tables, tmp_path)
    found = embeddings(parts, shown)[PAIR].double()
    label = torch.from_numpy(tables.labels[tables.labels["task_id"] == "link"]["value"].to_numpy().copy())
    half = len(found) // 2
    planes = task_planes(torch.nn.functional.pad(found[:half], (0, 1), value=1.0), label[:half].long(), 1)
    score = torch.nn.functional.pad(found[half:], (0, 1), value=1.0) @ planes[0]
    value = mean_metric("roc_auc", label[half:, None].double(), score[:, None])
    assert least <= value <= most


def test_the_svm_is_that_of_scikit_learn() -> None:
    from sklearn.svm import LinearSVC

    generator = torch.Generator().manual_seed(0)
    values = torch.randn(300, 7, generator=generator, dtype=torch.float64)
    labels = (values[:, :3] + torch.randn(300, 3, generator=generator, dtype=torch.float64)).argmax(1)
    padded = torch.nn.functional.pad(values, (0, 1), value=1.0)
    for own, n_outputs in ((labels, 4), ((labels > 0).long(), 1), ((labels > 0).long(), 2)):
        planes = task_planes(padded, own, n_outputs)
        right = LinearSVC(tol=1e-12, max_iter=100_000, dual=False).fit(values.numpy(), own.numpy())
        theirs = torch.from_numpy(np.concatenate([right.coef_, right.intercept_[:, None]], 1))
        if n_outputs == 4:
            torch.testing.assert_close(planes[:3], theirs, rtol=1e-5, atol=1e-6)
            assert (planes[3, :-1] == 0).all()  # a class that training does not have is never said
            assert (padded @ planes.T).argmax(1).max() < 3
        else:
            torch.testing.assert_close(planes[-1:], theirs, rtol=1e-5, atol=1e-6)
            if n_outputs == 2:
                torch.testing.assert_close(planes[0], -planes[1])
