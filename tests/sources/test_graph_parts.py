"""Graphs, their nodes and pairs of nodes become items, from archives of the TU collection and from SMILES."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.data.source_tables import SourceContext, SourceTables
from relatask.sources.graph_parts.tables import GraphSet, Links, graph_tables
from tests.helpers.data_tables import source_of
from tests.helpers.level_graphs import random_graphs
from tests.helpers.tu_layout import write_tu

EDGES = [(0, 1), (1, 2), (3, 4), (4, 5)]  # of the small archive, by numbers of nodes


def prepared(reader: str, path: Path, raw: Path | None = None, **keys: Any) -> SourceTables:
    block = source_of(reader=reader, **({"path": str(path)} if raw is None else {}), **keys)
    tables: SourceTables = load_file(block.record).prepare(block, SourceContext("mine", raw))
    return tables


def labels_of(tables: SourceTables, task: str) -> dict[int, float]:
    own = tables.labels[tables.labels["task_id"] == task]
    return dict(zip(own["item_id"].tolist(), own["value"].tolist(), strict=True))


def pairs_of(tables: SourceTables) -> dict[tuple[int, ...], float]:
    """Pairs by the item_id of their ends, and whether there is an edge."""
    label, items = labels_of(tables, "link"), tables.items
    own = items[items["level"] == "pair"]
    return {tuple(ends): label[item] for item, ends in zip(own["item_id"], own["ends"], strict=True)}


def test_an_archive_gives_graphs_nodes_and_pairs_with_their_labels(tmp_path: Path) -> None:
    tables = prepared("tudataset", write_tu(tmp_path / "TINY.zip"))
    items = tables.items
    assert items["level"].tolist() == ["graph"] * 2 + ["node"] * 6 + ["pair"] * 4
    assert items["parent"].fillna(-1).tolist() == [-1, -1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1]
    assert items["source_id"].tolist() == ["graph 1", "graph 2", *[None] * 10]
    assert tables.tasks["name"].tolist() == ["graph class", "node class", "link"]
    assert tables.tasks["kind"].tolist() == ["class", "class", "binary"]
    assert tables.tasks["level"].tolist() == ["graph", "node", "pair"]
    assert labels_of(tables, "graph_class") == {0: 1, 1: 0}  # -1 is the lower class
    # Classes from the lowest to the highest, 4 among them: no node has it.
    assert labels_of(tables, "node_class") == {2: 0, 3: 2, 4: 2, 5: 0, 6: 3, 7: 3}
    nodes = items[items["level"] == "node"]
    assert [own.tolist() for own in nodes["neighbours"]] == [[3], [2, 4], [3], [6], [5, 7], [6]]
    assert tables.counts == {
        "items": 12,
        "graphs": 2,
        "nodes": 6,
        "edges": 4,
        "edges_asked_about": 2,
        "graphs_without_node": 0,
        "graphs_without_edge": 0,
        "graphs_without_pair": 0,
        "tasks": 3,
        "labels": 12,
        "source": "mine",
        "edges_given": {"in": 8, "self_loops": 0, "repeated": 4, "out": 4},
        "files_not_read": [],
    }


def test_vectors_are_the_attributes_and_hold_no_label(tmp_path: Path) -> None:
    expected = [[1.5, 2], [0, 1], [3, 4], [1, 1], [2, 2], [0, 0.25]]
    for labels in ({}, {"node_labels": "1\n" * 6}, {"node_labels": None}):
        tables = prepared("tudataset", write_tu(tmp_path / "TINY.zip", **labels))
        vectors = tables.items["vector"][tables.items["level"] == "node"]
        np.testing.assert_array_equal(np.stack(vectors), np.array(expected, np.float32))


def test_each_level_has_a_task_only_where_there_are_labels(tmp_path: Path) -> None:
    for changes, keys, names in (
        ({"node_labels": None}, {}, ["graph class", "link"]),
        ({"graph_labels": None}, {}, ["node class", "link"]),
        ({}, {"links": 0}, ["graph class", "node class"]),
        ({"graph_labels": None, "node_labels": None}, {}, ["link"]),
    ):
        tables = prepared("tudataset", write_tu(tmp_path / "TINY.zip", **changes), **keys)
        assert tables.tasks["name"].tolist() == names
        assert ("pair" in set(tables.items["level"])) == ("link" in names)


def test_the_last_edges_and_the_first_other_pairs_are_asked_about_as_released(tmp_path: Path) -> None:
    path = write_tu(tmp_path / "TINY.zip")
    assert pairs_of(prepared("tudataset", path, link_draw="last")) == {
        (3, 4): 1,
        (2, 4): 0,
        (6, 7): 1,
        (5, 7): 0,
    }


def test_pairs_are_an_edge_and_a_pair_without_one_in_the_share_that_is_asked_for() -> None:
    for share in (0.2, 0.5):
        tables = random_graphs(30, share=share)
        pairs, items = pairs_of(tables), tables.items
        nodes = items[items["level"] == "node"]
        edges = {
            (item, other)
            for item, own in zip(nodes["item_id"], nodes["neighbours"], strict=True)
            for other in own.tolist()
            if item < other
        }
        parent = items["parent"]
        assert all(low < high and parent[low] == parent[high] for low, high in pairs)
        assert all(float(ends in edges) == label for ends, label in pairs.items())
        n_pairs = tables.counts["graphs"] * [0]
        for low, _ in edges:
            n_pairs[parent[low]] += 1
        for graph, count in enumerate(n_pairs):
            own = [label for (low, _), label in pairs.items() if parent[low] == graph]
            size = int((parent[items["level"] == "node"] == graph).sum())
            others = size * (size - 1) // 2 - count
            asked = min(count - int((1 - share) * count + 1e-9), others)
            assert (own.count(1.0), own.count(0.0)) == (asked, asked)
        assert tables.counts["edges_asked_about"] == list(pairs.values()).count(1.0)


def test_graphs_that_have_nothing_to_ask_about_are_counted(tmp_path: Path) -> None:
    # The second graph has no edge, the third no node.
    changes = {"A": "1,2\n2,1\n", "graph_indicator": "1\n1\n1\n2\n2\n4\n", "graph_labels": "1\n1\n2\n2\n"}
    counts = prepared("tudataset", write_tu(tmp_path / "TINY.zip", **changes)).counts
    assert counts["graphs"] == 4
    assert (counts["graphs_without_node"], counts["graphs_without_edge"]) == (1, 3)
    assert (counts["graphs_without_pair"], counts["edges_asked_about"]) == (3, 1)


def test_what_an_archive_has_besides_is_named(tmp_path: Path) -> None:
    further = {"graph_attributes": "0.5\n1.5\n", "edge_labels": "1\n" * 8}
    tables = prepared("tudataset", write_tu(tmp_path / "TINY.zip", **further))
    assert tables.counts["files_not_read"] == ["TINY_edge_labels.txt", "TINY_graph_attributes.txt"]
    assert labels_of(tables, "graph_class") == {0: 1, 1: 0}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"A": None},
            "TINY.zip holds no file TINY_A.txt; an archive of the collection is called as",
        ),
        (
            {"node_attributes": None},
            "nodes of TINY have no attributes, and what is learned of a node",
        ),
        ({"graph_labels": "1\n2\n1\n"}, "TINY_graph_labels.txt must hold one label for each of the 2"),
        (
            {"graph_labels": "0,1\n1,1\n"},
            "TINY_graph_labels.txt must hold one label for each of the 2",
        ),
        ({"node_labels": "0,1\n" * 6}, "TINY_node_labels.txt gives several labels of a node; leave one"),
        ({"graph_labels": "a\nb\n"}, "TUDataset cannot read the files .*invalid literal for int.*; get them"),
        ({"node_attributes": "1\n2\n"}, "TUDataset cannot read the files"),
        ({"A": "1, 2\n2, 9\n"}, "an edge of TINY_A.txt joins no two nodes of one graph; correct it"),
        ({"A": "1, 4\n4, 1\n"}, "an edge of TINY_A.txt joins no two nodes of one graph; correct it"),
        ({"graph_indicator": "2\n1\n1\n2\n2\n1\n"}, "TINY_graph_indicator.txt must hold the number of each"),
        ({"graph_indicator": ""}, "TINY_graph_indicator.txt must hold the number of each node's graph"),
        ({"A": "1,2\n1,3\n2,3\n4,5\n4,6\n5,6\n"}, "no graph has an edge, and a pair of nodes without one"),
    ],
)
def test_an_archive_that_cannot_be_read_is_refused(tmp_path: Path, changes: dict, said: str) -> None:
    with pytest.raises(RelataskError, match=said) as error:
        prepared("tudataset", write_tu(tmp_path / "TINY.zip", **changes))
    assert "\n" not in str(error.value)


def test_nothing_to_learn_is_refused() -> None:
    def tables(n_graphs: int, links: float) -> SourceTables:
        node_graph = np.zeros(3 * n_graphs, np.int64)
        graphs = GraphSet(["g"] * n_graphs, node_graph, np.ones((3 * n_graphs, 1)), np.array([[0, 1]]))
        return graph_tables(graphs, [], Links(links), {})

    with pytest.raises(RelataskError, match="there is no label of a graph or a node; leave `links` above 0"):
        tables(1, 0)
    with pytest.raises(RelataskError, match="the source has no graph with a node"):
        tables(0, 0.2)
    assert tables(1, 0.2).tasks["name"].tolist() == ["link"]


def test_without_a_path_the_folder_of_raw_files_holds_one_archive(tmp_path: Path) -> None:
    write_tu(tmp_path / "TINY.zip")
    assert prepared("tudataset", tmp_path, raw=tmp_path).counts["graphs"] == 2
    write_tu(tmp_path / "OTHER.zip")
    with pytest.raises(RelataskError, match=r"sources.mine: .* must hold one ZIP archive, not 2"):
        prepared("tudataset", tmp_path, raw=tmp_path)


@pytest.mark.parametrize(
    ("name", "graphs", "nodes", "edges", "classes", "vector"),
    [
        ("ENZYMES", 600, 19580, 37282, (6, 3), 18),
        ("PROTEINS_full", 1113, 43471, 81044, (2, 3), 29),
        ("DHFR", 756, 32075, 33676, (2, 53), 3),
        ("COX2", 467, 19252, 20289, (2, 35), 3),
    ],
)
def test_the_data_sets_of_the_paper_have_their_sizes(
    mirror: Path, name: str, graphs: int, nodes: int, edges: int, classes: tuple[int, int], vector: int
) -> None:
    tables = prepared("tudataset", mirror / "tudataset" / f"{name}.zip")
    assert [tables.counts[key] for key in ("graphs", "nodes", "edges")] == [graphs, nodes, edges]
    assert tables.tasks["n_classes"].tolist()[:2] == [*classes]
    of_nodes = np.stack(tables.items["vector"][tables.items["level"] == "node"])
    assert of_nodes.shape == (nodes, vector)
    # No column of the vectors is that of a class: a node's label is not among its attributes.
    own = tables.labels[tables.labels["task_id"] == "node_class"]["value"].to_numpy()
    for label in np.unique(own):
        assert not ((of_nodes > 0) == (own == label)[:, None]).all(0).any()


SMILES = "smiles,A\nCCO,1\nc1ccncc1,0\nC[N+](C)(C)C,1\nO=C1CC1Br,\nC1CC1,0\nxyz,1\n"


def test_molecules_are_taken_apart_into_atoms_and_pairs(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(SMILES)
    keys = {"min_heavy_atoms": 1, "min_weight": 0}
    tables = prepared("molecule_parts", tmp_path / "mine.csv", **keys)
    items = tables.items
    whole = items[items["level"] == "graph"]
    assert whole["smiles"].tolist() == ["CCO", "c1ccncc1", "C[N+](C)(C)C", "O=C1CC1Br", "C1CC1"]
    assert tables.rejected["reason"].tolist() == ["not a valid SMILES: it cannot be parsed"]
    assert tables.tasks["name"].tolist() == ["A", "element", "link"]
    assert tables.tasks["level"].tolist() == ["graph", "node", "pair"]
    assert labels_of(tables, "A") == {0: 1, 1: 0, 2: 1, 4: 0}
    names = tables.classes.sort_values("value")["name"].tolist()
    elements = [names[int(value)] for value in labels_of(tables, "element").values()]
    assert "".join(elements) == "CCO" + "CCCNCC" + "CNCCC" + "OCCCBr" + "CCC"
    nodes = items[items["level"] == "node"]
    first = [own.tolist() for own in nodes["neighbours"][:3]]
    assert first == [[6], [5, 7], [6]]
    # Charge, hydrogens, aromatic, ring: nothing tells the element or the number of bonds.
    vectors = np.stack(nodes["vector"])
    np.testing.assert_array_equal(vectors[:3], [[0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 1, 0, 0, 0]])
    np.testing.assert_array_equal(vectors[6], [0, 0, 0, 0, 1, 1])  # of pyridine's nitrogen
    np.testing.assert_array_equal(vectors[10], [1, 0, 0, 0, 0, 0])
    assert all(abs(items["parent"][low] - items["parent"][high]) == 0 for low, high in pairs_of(tables))
    assert tables.counts["molecules"]["items"] == 5
    assert tables.counts["graphs_without_pair"] == 1  # all pairs of cyclopropane are bonds


def test_measured_values_of_molecules_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("smiles,A\nCCO,1.5\nCCN,2.5\nCCC,0.1\n")
    with pytest.raises(RelataskError, match="molecule_parts reads labels of 0 and 1 and classes, not measu"):
        prepared("molecule_parts", tmp_path / "mine.csv", values="real", min_heavy_atoms=1, min_weight=0)


def test_columns_that_a_user_keeps_stay_with_the_molecules(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("smiles,A,lab\nCCO,1,x\nCCN,0,y\n")
    keys = {"min_heavy_atoms": 1, "min_weight": 0}
    tables = prepared("molecule_parts", tmp_path / "mine.csv", item_columns=["lab"], **keys)
    assert tables.items["lab"].tolist()[:2] == ["x", "y"]
    assert tables.items["lab"].notna().sum() == 2  # parts have none
    (tmp_path / "mine.csv").write_text("smiles,A,ends\nCCO,1,x\nCCN,0,y\n")
    with pytest.raises(RelataskError, match="item_columns cannot keep the column 'ends', as atoms and pairs"):
        prepared("molecule_parts", tmp_path / "mine.csv", item_columns=["ends"], **keys)


def test_a_study_without_links_has_no_task_of_labels_0_and_1() -> None:
    kinds = [source_of(reader="tudataset", path="x.zip", links=links).task_kinds() for links in (0.2, 0)]
    assert kinds == [("binary", "class"), ("class",)]
