"""Graphs, their nodes and pairs go from a table of items to the device; what is no such table is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import load_input, write_features
from relatask.inputs.graph_parts import featurise
from relatask.inputs.parts_batch import GRAPH, NODE, PAIR, GraphParts

VECTORS = np.arange(10, dtype=np.float32).reshape(5, 2)


def items(**changes: tuple[int, Any]) -> pd.DataFrame:
    """Two graphs of three and of two nodes with three edges, one asked about; `changes`: of cells."""
    frame = pd.DataFrame(
        {
            "item_id": [10, 11, 20, 21, 22, 30, 31, 40],
            "level": ["graph"] * 2 + ["node"] * 5 + ["pair"],
            "parent": pd.Series([None, None, 10, 10, 10, 11, 11, 10], dtype=object),
            "vector": pd.Series([None, None, *VECTORS, None], dtype=object),
            "neighbours": pd.Series([None, None, [21], [20, 22, 21], [], [31, 31], [], None], dtype=object),
            "ends": pd.Series([None] * 7 + [[21, 20]], dtype=object),
        }
    )
    for column, (item, value) in changes.items():
        row = frame.index[frame["item_id"] == item][0]
        frame[column] = frame[column].astype(object)
        frame.at[row, column] = value
    return frame


def loaded(frame: pd.DataFrame, folder: Path) -> GraphParts:
    write_features([frame], ["graph_parts"], folder)
    parts: GraphParts = load_input(folder, "graph_parts")
    return parts


def test_graphs_nodes_and_pairs_are_numbered_and_edges_lead_both_ways_once(tmp_path: Path) -> None:
    parts = loaded(items(), tmp_path)
    assert parts.level.tolist() == [GRAPH] * 2 + [NODE] * 5 + [PAIR]
    assert parts.place.tolist() == [0, 1, 0, 1, 2, 3, 4, 0]
    assert parts.node_offsets.tolist() == [0, 3, 5]
    assert parts.neighbour_offsets.tolist() == [0, 1, 3, 4, 5, 6]
    assert parts.neighbours.tolist() == [1, 0, 2, 1, 4, 3]
    assert parts.is_item.tolist() == [True, True, False, False, False, False]
    assert parts.ends.tolist() == [[1, 0]]
    assert parts.graph_of_item.tolist() == [0, 1, 0, 0, 0, 1, 1, 0]
    np.testing.assert_array_equal(parts.vectors, VECTORS)


def test_rows_may_stand_in_any_order(tmp_path: Path) -> None:
    frame = items().sample(frac=1, random_state=3)
    assert frame["item_id"].tolist() != sorted(frame["item_id"])
    parts = loaded(frame, tmp_path)
    node_ids = frame["item_id"][frame["level"] == "node"].tolist()
    graphs = frame["item_id"][frame["level"] == "graph"].tolist()
    numbers = sorted(node_ids, key=lambda node: (graphs.index(10 if node < 30 else 11), node_ids.index(node)))
    for node, vector in zip([20, 21, 22, 30, 31], VECTORS, strict=True):
        place = numbers.index(node)
        np.testing.assert_array_equal(parts.vectors[place], vector)
        own = parts.neighbours[parts.neighbour_offsets[place] : parts.neighbour_offsets[place + 1]].tolist()
        right = {20: [21], 21: [20, 22], 22: [21], 30: [31], 31: [30]}[node]
        assert sorted(numbers[one] for one in own) == right
    assert [numbers[end] for end in parts.ends[0].tolist()] == [21, 20]


def test_a_batch_has_the_asked_items_in_their_graphs_without_edges_that_are_items(tmp_path: Path) -> None:
    parts = loaded(items(), tmp_path)
    batch = parts.batch(torch.tensor([6, 7, 0]))  # node 31, the pair, graph 10
    assert (len(batch), batch.n_graphs) == (3, 2)
    assert batch.level.tolist() == [NODE, PAIR, GRAPH]
    assert batch.parts.tolist() == [[4, 4], [1, 0], [0, 0]]
    assert list(zip(batch.source.tolist(), batch.receiver.tolist(), strict=True)) == [
        (2, 1),
        (1, 2),
        (4, 3),
        (3, 4),
    ]
    second = parts.batch(torch.tensor([6]))
    assert (second.n_graphs, second.parts.tolist(), second.source.tolist()) == (1, [[1, 1]], [1, 0])
    turned = parts.graphs(torch.tensor([1, 0]))
    np.testing.assert_array_equal(turned.vectors, VECTORS[[3, 4, 0, 1, 2]])
    assert turned.receiver.tolist() == [0, 1, 2, 3, 3, 4]
    assert turned.source.tolist() == [1, 0, 3, 2, 4, 3]


def test_a_graph_may_have_no_edge_and_no_node_and_there_may_be_no_pair(tmp_path: Path) -> None:
    alone = items(neighbours=(30, []))
    (tmp_path / "edge").mkdir()
    assert loaded(alone, tmp_path / "edge").neighbour_offsets.tolist() == [0, 1, 3, 4, 4, 4]
    empty = items()[lambda frame: ~frame["item_id"].isin([30, 31, 40])].drop(columns="ends")
    (tmp_path / "node").mkdir()
    parts = loaded(empty, tmp_path / "node")
    assert parts.node_offsets.tolist() == [0, 3, 3]
    assert parts.ends.shape == (0, 2)
    assert not parts.is_item.any()
    batch = parts.batch(torch.tensor([1, 0]))
    assert (batch.n_graphs, batch.parts.tolist()) == (2, [[1, 1], [0, 0]])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parent": (20, 99)}, "the item 20 has the parent 99, which is no graph among the items"),
        ({"parent": (20, 21)}, "the item 20 has the parent 21, which is no graph among the items"),
        ({"parent": (20, None)}, "the item 20 has no parent that is a whole number"),
        ({"parent": (20, np.nan)}, "the item 20 has no parent that is a whole number"),
        ({"parent": (20, "ten")}, "the item 20 has no parent that is a whole number"),
        ({"parent": (20, 10.5)}, "the item 20 has no parent that is a whole number"),
        ({"parent": (40, None)}, "the item 40 has no parent that is a whole number"),
        ({"parent": (40, 11)}, "the pair 40 has another parent than its two nodes"),
        ({"neighbours": (20, [30])}, "the nodes 20 and 30 lie in different graphs, but one is a neighbour"),
        ({"neighbours": (20, [99])}, "the item 20 has the neighbour 99, which is no node among the items"),
        ({"neighbours": (20, [10])}, "the item 20 has the neighbour 10, which is no node among the items"),
        ({"neighbours": (20, None)}, "the neighbours of the item 20 are None; give a list of item_id"),
        ({"neighbours": (20, np.nan)}, "the neighbours of the item 20 are nan; give a list of item_id"),
        ({"neighbours": (20, [np.nan])}, r"the neighbours of the item 20 are \[nan\]; give a list"),
        ({"neighbours": (20, ["21"])}, r"the neighbours of the item 20 are \['21'\]; give a list"),
        ({"ends": (40, [20, 21, 22])}, "the pair 40 has 3 ends; a pair has two"),
        ({"ends": (40, [20])}, "the pair 40 has 1 ends; a pair has two"),
        ({"ends": (40, [20, 20])}, "the pair 40 has one node twice as its ends; a pair has two"),
        ({"ends": (40, [20, 30])}, "the nodes 20 and 30 are a pair, but lie in different graphs"),
        ({"ends": (40, [20, 99])}, "the item 40 has the end 99, which is no node among the items"),
        ({"ends": (40, None)}, "the ends of the item 40 are None; give a list of item_id"),
        ({"level": (20, "edge")}, "the item 20 has the level 'edge'; it can be graph, node, pair"),
        ({"level": (20, np.nan)}, "the item 20 has the level nan; it can be graph, node, pair"),
        ({"item_id": (21, 20)}, "the item 20 is there twice; give each item once"),
        ({"item_id": (40, 10)}, "the item 10 is there twice; give each item once"),
        ({"vector": (20, [0.5, np.nan])}, "the vector of the item 20 holds what is no finite number"),
        ({"vector": (20, [0.5])}, r"the vectors of the items differ in length: \[1, 2\]"),
        ({"vector": (20, None)}, "the vector of the item 20 is None; give a list of numbers"),
    ],
)
def test_a_cell_that_is_wrong_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RelataskError, match=said) as error:
        featurise(items(**changes))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("kept", "dropped", "said"),
    [
        (["graph"], [], "there is no node among the items; a graph is known by its nodes"),
        ([], [], "there is no node among the items"),
        (["node"], [], "the item 20 has the parent 10, which is no graph among the items"),
        (["graph", "node", "pair"], ["level"], "the items have no column 'level'; give a table with a row"),
        (["graph", "node", "pair"], ["vector"], r"the nodes have no column 'vector'; .* docs/graphs\.md"),
        (["graph", "node", "pair"], ["neighbours"], "the nodes have no column 'neighbours'; give a table"),
        (["graph", "node", "pair"], ["ends"], "the pairs have no column 'ends', the item_id of their two"),
        (["graph", "node", "pair"], ["parent"], "the item 20 has no parent that is a whole number"),
    ],
)
def test_a_table_that_lacks_something_is_refused(kept: list[str], dropped: list[str], said: str) -> None:
    frame = items()
    with pytest.raises(RelataskError, match=said):
        featurise(frame[frame["level"].isin(kept)].drop(columns=dropped))
