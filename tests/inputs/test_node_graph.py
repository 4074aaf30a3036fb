"""A graph of items goes from lists of neighbours to the device, and walks return as often as they should."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.inputs import node_graph
from relatask.inputs.arrays import load_input, write_features
from relatask.inputs.neighbours import neighbours_of
from relatask.inputs.node_graph import featurise, return_chances
from tests.helpers.node_graphs import random_edges
from tests.oracles.random_walks import return_chances as by_walking


def lists(n: int, n_edges: int) -> list[np.ndarray]:
    offsets, neighbours = neighbours_of(random_edges(n, n_edges), n)
    return np.split(neighbours, offsets[1:-1])


def test_neighbours_are_those_of_either_end_of_an_edge_once():
    edges = random_edges(31, 60)
    pairs = {(int(i), int(j)) for i, j in edges if i != j}
    expected = [sorted({j for i, j in pairs | {(j, i) for i, j in pairs} if i == n}) for n in range(31)]
    assert [own.tolist() for own in lists(31, 60)] == expected
    assert [own.tolist() for own in neighbours_of(np.empty((0, 2), np.int64), 2)] == [[0, 0, 0], []]


def chunks(items: pd.DataFrame, rows: int = 4) -> list[pd.DataFrame]:
    return [items.iloc[start : start + rows] for start in range(0, len(items), rows)]


@pytest.mark.parametrize("steps", [1, 5, 16])
def test_walks_return_as_often_as_step_by_step(steps, monkeypatch):
    neighbours = lists(31, 34)  # of which some are isolated, and the width is no divisor of 31
    assert {0, 1} < {len(own) for own in neighbours}
    monkeypatch.setattr(node_graph, "CACHED", 1)
    offsets = np.cumsum([0, *map(len, neighbours)])
    found = return_chances(offsets, np.concatenate(neighbours), steps)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_walking(neighbours, steps), rtol=1e-6, atol=1e-9)


def test_walks_on_a_path_of_three_nodes_are_worked_out_by_hand():
    found = return_chances(np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1]), 4)
    np.testing.assert_allclose(found, [[0, 0.5, 0, 0.5], [0, 1, 0, 1], [0, 0.5, 0, 0.5]])


def test_memory_grows_with_the_edges_and_not_with_pairs_of_nodes(monkeypatch):
    monkeypatch.setattr(node_graph, "CACHED", 1 << 18)
    n = 4000
    neighbours = lists(n, 2000)
    offsets, flat = np.cumsum([0, *map(len, neighbours)]), np.concatenate(neighbours)
    return_chances(np.array([0, 0]), flat[:0], 1)  # imports scipy
    tracemalloc.start()
    return_chances(offsets, flat, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n * n * 8 / 20


def test_the_graph_is_read_whole_whatever_the_chunks(tmp_path):
    neighbours = lists(31, 60)
    vectors = np.random.default_rng(0).normal(size=(31, 3)).astype(np.float32)
    items = pd.DataFrame({"item_id": range(31), "neighbours": neighbours, "vector": list(vectors)})
    record = write_features(chunks(items), ["vectors", "node_graph"], tmp_path)
    assert record["items"] == 31
    assert record["edges"] == sum(map(len, neighbours)) / 2
    assert record["isolated_nodes"] == sum(len(own) == 0 for own in neighbours)
    graph = load_input(tmp_path, "node_graph")
    assert len(graph) == 31
    assert (graph.offsets.dtype, graph.neighbours.dtype) == (torch.int64, torch.int64)
    for node, own in enumerate(neighbours):
        assert graph.neighbours[graph.offsets[node] : graph.offsets[node + 1]].tolist() == own.tolist()
    assert graph.degrees.tolist() == [len(own) for own in neighbours]
    np.testing.assert_allclose(
        graph.encodings, by_walking(neighbours, node_graph.STEPS), rtol=1e-6, atol=1e-9
    )
    np.testing.assert_array_equal(graph.vectors, vectors)
    np.testing.assert_array_equal(load_input(tmp_path, "vectors").values, vectors)
    rows = torch.tensor([6, 0, 6])
    batch = graph.batch(rows)
    assert len(batch) == 3
    assert batch.graph is graph
    assert batch.rows is rows


def test_an_edge_that_one_end_lists_leads_both_ways_once_and_a_loop_nowhere(tmp_path):
    items = pd.DataFrame({"item_id": [7, 3, 5], "neighbours": [[3, 3, 7], [], [7]]})
    write_features([items], ["node_graph"], tmp_path)
    graph = load_input(tmp_path, "node_graph")
    assert graph.offsets.tolist() == [0, 2, 3, 4]
    assert graph.neighbours.tolist() == [1, 2, 0, 0]
    assert graph.vectors is None


def test_whole_numbers_are_ids_however_they_are_written():
    lists = [(4.0,), np.array([3, 3], object)]
    graph = featurise(pd.DataFrame({"item_id": [3, 4], "neighbours": pd.Series(lists, dtype=object)}))
    assert graph["node_neighbours"].tolist() == [1, 0]


def test_a_graph_without_an_edge_is_one(tmp_path):
    items = pd.DataFrame({"item_id": [0, 1], "neighbours": [np.empty(0, np.int32)] * 2})
    write_features([items], ["node_graph"], tmp_path)
    graph = load_input(tmp_path, "node_graph")
    assert graph.degrees.tolist() == [0, 0]
    assert not graph.encodings.any()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"smiles": ["C", "N"]},
            "no column `neighbours`; a node is known by its graph: give a table of all nodes",
        ),
        (
            {"neighbours": [[4], [9, 3]]},
            "the item 4 has the neighbour 9, which is no item of the table; give",
        ),
        ({"neighbours": [[], []], "item_id": 4}, "the item 4 is there twice"),
        ({"neighbours": [[4], None]}, "neighbours of the item 4 are None; give a list of item_id, which are"),
        ({"neighbours": [[4], np.nan]}, "neighbours of the item 4 are nan; give a list"),
        ({"neighbours": ["4", "3"]}, "neighbours of the item 3 are '4'; give a list"),
        ({"neighbours": [["4"], ["3"]]}, r"neighbours of the item 3 are \['4'\]; give a list"),
        ({"neighbours": [[[4], 4], []]}, r"neighbours of the item 3 are \[\[4\], 4\]; give a list"),
        ({"neighbours": [[4], [3.7]]}, r"neighbours of the item 4 are \[3\.7\]; give a list"),
        ({"neighbours": [[4], [np.nan]]}, r"neighbours of the item 4 are \[nan\]; give a list"),
    ],
)
def test_what_is_no_whole_graph_is_named(columns, said):
    with pytest.raises(RelataskError, match=said):
        featurise(pd.DataFrame({"item_id": [3, 4], **columns}))
