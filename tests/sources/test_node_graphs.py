"""Graphs become items with neighbours, tasks and labels; all edges are counted, and what is none is said."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.io import savemat
from scipy.sparse import csc_matrix, csr_matrix, load_npz, save_npz

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.core.tables import read_chunks, read_table
from relatask.data.prepared import PreparedDataset
from relatask.data.source_tables import SourceContext, SourceTables
from relatask.data.splits import FOLDS
from relatask.encoders import node_gcn
from relatask.inputs.arrays import load_input, write_features
from tests.helpers.data_tables import prepared_folder, source_of
from tests.helpers.dblp_layout import WORDS, write_dblp
from tests.helpers.node_graphs import random_graph

BLOGS = {(0, 1), (0, 2), (2, 3)}  # edges of a graph of five nodes


def prepared(
    reader: str, raw: Path | None = None, columns: tuple[str, ...] = (), **keys: Any
) -> SourceTables:
    block = source_of(reader=reader, **{key: str(v) if isinstance(v, Path) else v for key, v in keys.items()})
    tables: SourceTables = load_file(block.record).prepare(block, SourceContext("mine", raw, columns))
    return tables


def labels_of(tables: SourceTables) -> np.ndarray:
    """Labels [N, T], NaN where there is none."""
    wide = tables.labels.pivot(index="item_id", columns="task_id", values="value")
    ids = tables.tasks["task_id"]
    return wide.reindex(index=tables.items["item_id"], columns=ids).to_numpy(np.float64)


def edges_of(tables: SourceTables) -> set[tuple[int, int]]:
    """Edges that both ends list."""
    listed = {(node, int(one)) for node, own in enumerate(tables.items["neighbours"]) for one in own}
    assert listed == {(b, a) for a, b in listed}
    return {pair for pair in listed if pair[0] < pair[1]}


def write_snap(folder: Path, edges: str, groups: str) -> Path:
    folder.mkdir()
    (folder / "my.ungraph").write_text(edges)
    (folder / "my.cmty").write_text(groups)
    return folder


def write_mat(path: Path, **changes: Any) -> Path:
    network = np.zeros((5, 5))
    for a, b in BLOGS:
        network[a, b] = network[b, a] = 1
    matrices = {"network": csc_matrix(network), "group": csc_matrix(np.eye(5)[:, :2]), **changes}
    savemat(path, {key: value for key, value in matrices.items() if value is not None})
    return path


def test_snaps_layout_gives_nodes_by_their_numbers_and_a_task_for_each_group(tmp_path):
    edges = "# three nodes and one that only a group names\n10\t2\n2 10\n\n2\t2\n2\t7\n"
    tables = prepared("snap", path=write_snap(tmp_path / "snap", edges, "7\t2\t7\n30\n"))
    assert tables.items["source_id"].tolist() == ["2", "7", "10", "30"]
    assert tables.items["level"].unique().tolist() == ["node"]
    assert edges_of(tables) == {(0, 1), (0, 2)}
    assert labels_of(tables).tolist() == [[1, 0], [1, 0], [0, 0], [0, 1]]
    assert tables.tasks["name"].tolist() == ["group 1", "group 2"]
    assert tables.counts == {
        "source": "mine",
        "items": 4,
        "tasks": 2,
        "labels": 8,
        "isolated_nodes": 1,
        "nodes_without_group": 1,
        "small_groups": 0,
        "edges": {"in": 4, "self_loops": 1, "repeated": 1, "out": 2},
    }


@pytest.mark.parametrize("ending", [".txt", ".gz", ".txt.gz"])
def test_files_as_snap_names_them_are_read(tmp_path, ending):
    for kind, text in (("ungraph", "\ufeff# DBLP\r\n10\t2\r\n\r\n2\t7\r\n"), ("all.cmty", "7\t2\r\n10\r\n")):
        packed = gzip.compress(text.encode()) if ending.endswith("gz") else text.encode()
        (tmp_path / f"com-dblp.{kind}{ending}").write_bytes(packed)
    tables = prepared("snap", path=tmp_path)
    assert edges_of(tables) == {(0, 1), (0, 2)}
    assert labels_of(tables).tolist() == [[1, 0], [1, 0], [0, 1]]


def test_a_group_has_the_number_of_its_line_and_small_ones_may_be_left_out(tmp_path, caplog, monkeypatch):
    caplog.set_level("INFO")
    folder = write_snap(tmp_path / "snap", "0 1\n", "# groups\n0\n\n2 0 2\n0 1 2\n")
    assert prepared("snap", path=folder).tasks["name"].tolist() == ["group 1", "group 3", "group 4"]
    tables = prepared("snap", path=folder, min_group=2)
    assert tables.tasks["name"].tolist() == ["group 3", "group 4"]
    assert labels_of(tables).tolist() == [[1, 1], [0, 1], [1, 1]]
    assert tables.counts["small_groups"] == 1
    assert "mine: 1 of 3 groups have fewer than 2 nodes and are no tasks." in caplog.text
    with pytest.raises(RelataskError, match=r"my.cmty: no group has 4 nodes; lower min_group"):
        prepared("snap", path=folder, min_group=4)
    monkeypatch.setattr("relatask.sources.nodes.snap.MOST_LABELS", 6)
    assert len(prepared("snap", path=folder, min_group=2).labels) == 6
    with pytest.raises(RelataskError, match=r"3 nodes x 3 groups are more than 6 labels; raise min_group"):
        prepared("snap", path=folder)


def test_blogcatalogs_layout_gives_the_same_from_a_path_and_from_the_mirror(tmp_path):
    tables = prepared("blogcatalog", path=write_mat(tmp_path / "my.mat"))
    assert edges_of(tables) == BLOGS
    assert labels_of(tables).tolist() == np.eye(5)[:, :2].tolist()
    assert tables.items["source_id"].tolist() == ["1", "2", "3", "4", "5"]
    assert tables.counts["edges"] == {"in": 6, "self_loops": 0, "repeated": 3, "out": 3}
    assert (tables.counts["isolated_nodes"], tables.counts["nodes_without_group"]) == (1, 3)
    write_mat(tmp_path / "blogcatalog.mat", group=np.eye(5)[:, :2] > 0)  # of another type, and dense
    again = prepared("blogcatalog", raw=tmp_path)
    assert edges_of(again) == BLOGS


def test_authors_are_linked_by_papers_and_labelled_by_their_venues(tmp_path):
    raw = write_dblp(tmp_path / "dblp" / "raw")
    before = sorted(path.name for path in raw.iterdir())
    tables = prepared("dblp", path=raw.parent)
    assert edges_of(tables) == {(0, 1), (0, 2), (1, 2)}
    assert labels_of(tables).tolist() == [[1, 1], [1, 1], [0, 1], [1, 0], [0, 0]]
    assert np.stack(tables.items["vector"]).tolist() == WORDS.tolist()
    assert tables.counts["edges"] == {"in": 4, "self_loops": 0, "repeated": 1, "out": 3}
    assert (tables.counts["isolated_nodes"], tables.counts["authors_without_venue"]) == (2, 1)
    assert sorted(path.name for path in raw.iterdir()) == before
    assert not (raw.parent / "processed").exists()
    assert edges_of(prepared("dblp", path=raw)) == edges_of(tables)


def test_files_of_dblp_are_never_downloaded_and_broken_ones_are_named(tmp_path):
    raw = write_dblp(tmp_path / "dblp")
    (raw / "adjM.npz").write_bytes(b"no archive")
    with pytest.raises(RelataskError, match=r"dblp: torch_geometric.datasets.DBLP cannot read the files"):
        prepared("dblp", path=raw)
    (raw / "adjM.npz").unlink()
    with pytest.raises(RelataskError, match=r"lacks 'adjM.npz' of DBLP as torch_geometric"):
        prepared("dblp", path=raw)


@pytest.mark.parametrize(
    ("name", "rows", "nodes"),
    [
        ("features_0.npz", 6, 5),
        ("features_1.npz", 2, 4),
        ("features_1.npz", 9, 4),
        ("features_2.npy", 2, 3),
    ],
)
def test_files_of_dblp_that_differ_in_their_nodes_are_named(tmp_path, name, rows, nodes):
    raw = write_dblp(tmp_path / "dblp")
    if name.endswith("npy"):
        np.save(raw / name, np.ones((rows, 2)))
    else:
        save_npz(raw / name, csr_matrix(np.ones((rows, 2))))
    said = rf"dblp: {name} has {rows} rows, but node_types.npy {nodes} nodes of the sort"
    with pytest.raises(RelataskError, match=said):
        prepared("dblp", path=raw)


def test_links_of_dblp_among_other_nodes_are_named(tmp_path):
    raw = write_dblp(tmp_path / "dblp")
    save_npz(raw / "adjM.npz", csr_matrix(load_npz(raw / "adjM.npz").toarray()[:13, :13]))
    with pytest.raises(RelataskError, match=r"adjM.npz has 13 rows, but node_types.npy 14 nodes; get the"):
        prepared("dblp", path=raw)


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_table_of_nodes_and_a_table_of_edges_are_a_graph(tmp_path, caplog, end):
    caplog.set_level("INFO")
    nodes, edges = tmp_path / "nodes.csv", tmp_path / "edges.csv"
    rows = "node,fold,A,B,town\nx,train,1,,P\ny,train,0,1,Q\nz,test,,,\nalone,valid,1,0,P\n"
    nodes.write_text(rows, newline=end)
    edges.write_text("from,to,weight\nx,y,2\n\ny,x,1\nz,z,1\ny,z,1\nnobody,x,1\n", newline=end)
    files = {"path": nodes, "edges_path": edges}
    tables = prepared("node_table", columns=("fold",), item_columns=["town"], **files)
    assert tables.items["town"].tolist() == ["P", "Q", None, "P"]
    assert tables.items["source_id"].tolist() == ["x", "y", "z", "alone"]
    assert tables.items["fold"].tolist() == ["train", "train", "test", "valid"]
    assert edges_of(tables) == {(0, 1), (1, 2)}
    nan = np.nan
    np.testing.assert_array_equal(labels_of(tables), [[1, nan], [0, 1], [nan, nan], [1, 0]])
    assert tables.counts["edges"] == {
        "in": 5,
        "self_loops": 1,
        "repeated": 1,
        "out": 2,
        "of_unknown_nodes": 1,
    }
    assert (tables.counts["isolated_nodes"], tables.counts["nodes_without_label"]) == (1, 1)
    said = "mine: 4 nodes (1 without an edge), 5 labels in 2 tasks; 5 edges -> 2 (left out: 1 self loops, 1 "
    assert f"{said}repeated, 1 of unknown nodes)." in caplog.text


def test_columns_of_numbers_are_vectors_that_an_encoder_learns_from(tmp_path):
    nodes, edges = tmp_path / "nodes.csv", tmp_path / "edges.csv"
    nodes.write_text("node,A,age,height\nx,1,31,-1.5\ny,0,4,2e-1\nz,,0,0\n")
    edges.write_text("from,to\nx,y\n")
    keys = {"edges_path": edges, "vector_columns": ["height", "age"]}
    tables = prepared("node_table", path=nodes, **keys)
    assert tables.tasks["name"].tolist() == ["A"]
    pd.read_csv(nodes).to_parquet(tmp_path / "nodes.parquet")
    for found in (tables, prepared("node_table", path=tmp_path / "nodes.parquet", **keys)):
        np.testing.assert_array_equal(
            np.stack(found.items["vector"]), np.array([[-1.5, 31], [0.2, 4], [0, 0]], np.float32)
        )
    tables.write(tmp_path)
    write_features(read_chunks("items", tmp_path / "items.parquet", 2), ["node_graph"], tmp_path / "features")
    graph = load_input(tmp_path / "features", "node_graph")
    torch.manual_seed(0)
    encoder = node_gcn.build(graph.n_nodes, graph.n_features, features="vectors", width=4, layers=1)
    before = [parameter.clone() for parameter in encoder.parameters()]
    encoder(graph.batch(torch.tensor([0, 1]))).square().sum().backward()
    torch.optim.SGD(encoder.parameters(), lr=0.1).step()
    first = next(place for place, one in enumerate(before) if one.shape[-2:] == (2, 4))
    assert not torch.equal(list(encoder.parameters())[first], before[first])


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("tall", "'tall' is no finite number of 32 bits; write a number, or leave the column out"),
        ("", "the cell is empty; write a number"),
        ("NA", "'NA' is no finite number"),
        ("nan", "'nan' is no finite number"),
        ("1e39", "'1e39' is no finite number of 32 bits"),
        ("1_0", "'1_0' is no finite number"),
    ],
)
def test_a_vector_with_what_is_no_number_is_named_by_its_row(tmp_path, cell, said):
    nodes, edges = tmp_path / "nodes.csv", tmp_path / "edges.csv"
    nodes.write_text(f"node,A,age,height\nx,1,31,1\ny,0,4,{cell}\n")
    edges.write_text("from,to\nx,y\n")
    with pytest.raises(RelataskError, match=rf"nodes.csv, line 3, column 'height': {said}"):
        prepared("node_table", path=nodes, edges_path=edges, vector_columns=["age", "height"])


def test_values_and_classes_of_nodes_are_tasks_of_their_kind(tmp_path):
    nodes, edges = tmp_path / "nodes.csv", tmp_path / "edges.csv"
    nodes.write_text("node,A\nx,1.5\ny,-2\nz,3\n")
    edges.write_text("from,to\nx,y\n")
    tables = prepared("node_table", path=nodes, edges_path=edges, values="real")
    assert tables.tasks["kind"].tolist() == ["real"]
    assert tables.labels["value"].tolist() == [1.5, -2, 3]
    nodes.write_text("node,A\nx,red\ny,blue\nz,red\n")
    tables = prepared("node_table", path=nodes, edges_path=edges, values="class")
    assert tables.classes["name"].tolist() == ["blue", "red"]
    assert tables.labels["value"].tolist() == [1, 0, 1]


def test_names_may_be_spelt_like_what_is_missing_and_are_numbers_of_any_type(tmp_path):
    nodes, edges = tmp_path / "nodes.csv", tmp_path / "edges.csv"
    nodes.write_text("node,A\nNA,1\nnone,0\nnan,NA\n")
    edges.write_text("from,to\nNA,none\nnone,nan\n")
    tables = prepared("node_table", path=nodes, edges_path=edges)
    assert tables.items["source_id"].tolist() == ["NA", "none", "nan"]
    assert edges_of(tables) == {(0, 1), (1, 2)}
    assert len(tables.labels) == 2
    pd.DataFrame({"node": [1, 2], "A": [0, 1]}).to_parquet(tmp_path / "nodes.parquet")
    for ends in ({"a": [1.0], "b": [2.0]}, {"a": ["1"], "b": [2]}):
        pd.DataFrame(ends).to_parquet(tmp_path / "edges.parquet")
        paths = {"path": tmp_path / "nodes.parquet", "edges_path": tmp_path / "edges.parquet"}
        assert edges_of(prepared("node_table", **paths)) == {(0, 1)}
    pd.DataFrame({"a": [1.0, np.nan], "b": [2.0, 1.0]}).to_parquet(tmp_path / "edges.parquet")
    with pytest.raises(RelataskError, match=r"data row 2, column 'a': the name of a node is missing"):
        prepared("node_table", **paths)


SNAP_FAULTS = {
    "a line of three": (
        "0 1\n0 1 2\n",
        "0\n",
        r"my.ungraph, line 2: an edge is two numbers of nodes, and here are 3",
    ),
    "a word": ("0 1\n", "0 x\n", r"my.cmty, line 1: 'x' is no number of a node"),
    "a negative number": ("0 -1\n", "0\n", "line 1: '-1' is no number of a node"),
    "a number beyond 64 bits": (
        "0 9999999999999999999\n",
        "0\n",
        "'9999999999999999999' is no number of a node",
    ),
    "no edge": ("# nothing\n", "0\n", "my.ungraph holds no edge; each of its lines must name two nodes"),
    "no group": ("0 1\n", "\n", "my.cmty holds no group; each of its lines must name the nodes of one"),
}


@pytest.mark.parametrize("fault", SNAP_FAULTS)
def test_what_snap_would_not_write_is_named_by_its_line(tmp_path, fault):
    edges, groups, said = SNAP_FAULTS[fault]
    with pytest.raises(RelataskError, match=said):
        prepared("snap", path=write_snap(tmp_path / "snap", edges, groups))


def test_files_that_are_missing_or_no_text_are_named(tmp_path):
    folder = write_snap(tmp_path / "snap", "0 1\n", "0\n")
    (folder / "my.ungraph").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RelataskError, match=r"my.ungraph is no text; it must list numbers of nodes"):
        prepared("snap", path=folder)
    (folder / "my.ungraph").rename(folder / "my.ungraph.gz")
    with pytest.raises(RelataskError, match=r"my.ungraph.gz cannot be read \(.*\); get it again"):
        prepared("snap", path=folder)
    (folder / "my.cmty").unlink()
    (folder / "my.cmty").mkdir()
    with pytest.raises(RelataskError, match=r"sources.mine: .* one file \*.cmty .*, but holds none"):
        prepared("snap", path=folder)


MAT_FAULTS = {
    "no groups": ({"group": None}, "holds no matrix 'group'; it must hold `network`"),
    "no square": (
        {"network": csc_matrix(np.ones((5, 4)))},
        r"`network` is \(5, 4\) and `group` \(5, 2\), not nodes",
    ),
    "other nodes": ({"group": csc_matrix(np.ones((4, 2)))}, r"`network` is \(5, 5\) and `group` \(4, 2\)"),
    "no label": (
        {"group": csc_matrix(np.array([[1, 0], [np.nan, 1], [0, 0], [0, 0], [0, 0]]))},
        r"my.mat: `group` holds nan; it must be 1 where a node is in a group and else 0",
    ),
    "numbers of classes": (
        {"group": np.array([[1], [2], [3], [1], [1]])},
        r"`group` holds 2; it must be 1 .* with a column for each group",
    ),
    "complex groups": ({"group": np.eye(5)[:, :2] * 1j}, "`group` holds complex numbers; save its real part"),
    "a complex graph": ({"network": np.eye(5) + 1j}, "`network` holds complex numbers; save its real part"),
    "no link": ({"network": np.full((5, 5), np.nan)}, "`network` holds what is no finite number"),
    "a text": ({"network": "text"}, r"`network` is \(1,\) and `group` \(5, 2\)"),
}


@pytest.mark.parametrize("fault", MAT_FAULTS)
def test_matrices_that_are_no_graph_are_named(tmp_path, fault):
    changes, said = MAT_FAULTS[fault]
    with pytest.raises(RelataskError, match=said):
        prepared("blogcatalog", path=write_mat(tmp_path / "my.mat", **changes))


def test_a_position_that_is_outside_of_its_matrix_is_a_sentence_and_no_crash(tmp_path):
    group = csc_matrix(np.eye(5)[:, :2])
    group.indices[0] = 10**6
    with pytest.raises(RelataskError, match=r"my.mat cannot be read as a MATLAB file .*get it again"):
        prepared("blogcatalog", path=write_mat(tmp_path / "my.mat", group=group))


@pytest.mark.parametrize("kept", [0, 3, 150, 400])
def test_a_matlab_file_that_is_cut_off_is_a_sentence(tmp_path, kept):
    path = write_mat(tmp_path / "my.mat")
    assert path.stat().st_size > kept
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(RelataskError, match=r"my.mat (cannot be read as a MATLAB file|holds no matrix)"):
        prepared("blogcatalog", path=path)
    path.unlink()
    with pytest.raises(RelataskError, match=r"there is no file .*my.mat; give the path of a MATLAB file"):
        prepared("blogcatalog", path=path)


TABLE_FAULTS = {
    "a node twice": (
        "node,A\nx,1\ny,0\nx,1\n",
        "a,b\nx,y\n",
        r"nodes.csv, line 4: the node 'x' has a row above",
    ),
    "a node without a name": (
        "node,A\nx,1\n,0\n",
        "a,b\nx,x\n",
        r"nodes.csv, line 3, column 'node': the name of a",
    ),
    "an end without a name": (
        "node,A\nx,1\ny,0\n",
        "a,b\nx,y\nx,\n",
        r"edges.csv, line 3, column 'b': the name of",
    ),
    "no label": (
        "node,A\nx,1\ny,2\n",
        "a,b\nx,y\n",
        r"nodes.csv, line 3, column 'A': '2' is neither 0 nor 1",
    ),
    "one column": ("node,A\nx,1\n", "a\nx\n", r"edges.csv has one column; its first two must name the nodes"),
    "other names": ("node,A\nx,1\n", "a,b\n1,2\n", r"edges.csv: no edge names two nodes .* \['1', '2'\]"),
    "no header": (
        "node,A\n1,1\n2,0\n3,1\n",
        "1,2\n2,3\n",
        r"edges.csv: its first row, 1, 2, names two nodes and would not be read .* must name the columns",
    ),
    "no nodes": (
        "node,A\n",
        "a,b\n1,2\n",
        r"nodes.csv has a header but no rows; it must hold one row per node",
    ),
    "no tasks": ("node\nx\n", "a,b\nx,x\n", r"nodes.csv has no task column beside \['node'\]"),
}


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_tables_that_are_no_graph_are_named_by_their_row(tmp_path, fault):
    nodes, edges, said = TABLE_FAULTS[fault]
    (tmp_path / "nodes.csv").write_text(nodes)
    (tmp_path / "edges.csv").write_text(edges)
    with pytest.raises(RelataskError, match=said):
        prepared("node_table", path=tmp_path / "nodes.csv", edges_path=tmp_path / "edges.csv")


@pytest.mark.parametrize("column", ["item_id", "source_id", "level", "parent", "neighbours", "vector"])
def test_no_column_of_the_user_replaces_one_that_nodes_have(tmp_path, column):
    nodes, edges = tmp_path / "nodes.csv", tmp_path / "edges.csv"
    nodes.write_text(f"node,A,{column}\nx,1,1\ny,0,2\n")
    edges.write_text("from,to\nx,y\n")
    said = rf"nodes.csv: item_columns and splits cannot keep the column '{column}'"
    with pytest.raises(RelataskError, match=said):
        prepared("node_table", path=nodes, edges_path=edges, item_columns=[column])
    with pytest.raises(RelataskError, match=said):
        prepared("node_table", path=nodes, edges_path=edges, columns=(column,))


@pytest.mark.parametrize("scheme", ["random", "stratified", "masked", "cells", "cross_validation"])
def test_schemes_that_draw_split_nodes(tmp_path, scheme):
    tables = random_graph(50, 3)
    prepared_folder(tmp_path, tables, [], {scheme: {"seeds": (0,), "fractions": (0.6, 0.2, 0.2)}})
    assert tables.items["parent"].isna().all()
    data = PreparedDataset.load(tmp_path, f"{scheme}-0", inputs="none")
    train, valid, test = (set(data.folds[fold].tolist()) for fold in FOLDS)
    if scheme != "cells":  # which puts labels of one node into several folds
        assert (len(valid), len(test), train & valid, train & test, valid & test) == (
            10,
            10,
            set(),
            set(),
            set(),
        )
    shown = int((~data.labels.isnan()).sum())
    assert shown == (3 * (0.1 * 30 + 20) if scheme == "masked" else 150)


def test_neighbours_survive_the_table_of_items_and_become_the_graph(tmp_path):
    tables = prepared("blogcatalog", path=write_mat(tmp_path / "my.mat"))
    tables.write(tmp_path)
    items = read_table("items", tmp_path / "items.parquet")
    assert [own.tolist() for own in items["neighbours"]] == [[1, 2], [0], [0, 3], [2], []]
    assert items["neighbours"].iloc[4].dtype == np.int32
    write_features(read_chunks("items", tmp_path / "items.parquet", 2), ["node_graph"], tmp_path / "features")
    graph = load_input(tmp_path / "features", "node_graph")
    assert graph.neighbours.tolist() == [1, 2, 0, 0, 3, 2]


@pytest.mark.parametrize(
    ("name", "nodes", "edges", "tasks", "labels"),
    [("PPI", 3890, 37845, 50, 6640), ("wikipedia", 4777, 92295, 40, 6770)],
)
def test_real_graphs_of_snap_have_the_sizes_that_papers_give(
    mirror, tmp_path, name, nodes, edges, tasks, labels
):
    for ending in ("ungraph", "cmty"):
        (tmp_path / f"{name}.{ending}").symlink_to(mirror / "multilabel_graphs" / f"{name}.{ending}")
    tables = prepared("snap", raw=tmp_path)
    assert (len(tables.items), len(tables.tasks), tables.counts["edges"]["out"]) == (nodes, tasks, edges)
    assert tables.tasks["n_pos"].sum() == labels


def test_blogcatalog_has_the_size_of_table_3(mirror):
    tables = prepared("blogcatalog", raw=mirror / "blogcatalog")
    assert (len(tables.items), len(tables.tasks), tables.counts["edges"]["out"]) == (10312, 39, 333983)
    assert len(tables.labels) == 10312 * 39
    assert tables.items["neighbours"].map(len).sum() == 2 * 333983
