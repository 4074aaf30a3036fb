"""Trained models of nodes: another graph is predicted or refused, and rows may stand in any order."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import relatask
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table
from relatask.models.prediction import Model
from tests.helpers.node_graphs import on_nodes, write_nodes
from tests.models.molecule_data import train

SPECS = {
    "degree": on_nodes("shared_bottom", "degree"),
    "random_walk": on_nodes("mitten", "random_walk"),
    "identity": on_nodes("single_task", "identity"),
    "vectors": on_nodes("shared_bottom", "vectors"),
    "labels": on_nodes("metalink", "random_walk"),
}
RING = pd.DataFrame({"item_id": range(60), "neighbours": [[(i + 1) % 60] for i in range(60)]})


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of results in which all are trained."""
    results = tmp_path_factory.mktemp("nodes") / "results"
    write_nodes(results / "small", vectors=5)
    train(results, list(SPECS.values()))
    return results


@pytest.fixture
def own(results: Path) -> pd.DataFrame:
    """The graph of training."""
    return read_table("items", results / "small" / "items.parquet")[["item_id", "neighbours", "vector"]]


def model_of(results: Path, name: str) -> Model:
    return relatask.load(results / "study" / "runs" / SPECS[name].run_id)


@pytest.mark.parametrize("name", SPECS)
def test_rows_may_stand_in_any_order(results: Path, own: pd.DataFrame, name: str) -> None:
    model = model_of(results, name)
    expected = model.predict(own)
    shuffled = own.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(model.predict(shuffled).sort_index(), expected)
    assert expected["task0"].std() > 1e-4


def test_a_table_that_no_model_can_read_is_refused(results: Path) -> None:
    model = model_of(results, "degree")
    table = pd.DataFrame({"item_id": [0, 1], "neighbours": [[1], [0]]})
    for items, said in (
        (table.assign(item_id=["0", "b"]), "item_id, row 2 of 2: 'b' is no whole number; number items"),
        (table.assign(item_id=[0.5, 1]), r"item_id, row 1 of 2: .*0\.5.* is no whole number"),
        (table.assign(item_id=[0, None]), "item_id, row 2 of 2: .*nan.* is no whole number"),
        (table.assign(neighbours=[[1], None]), "the neighbours of the item 1 are None"),
        (table.drop(columns="neighbours"), "the items have no column `neighbours`"),
        (table.drop(columns="item_id"), "no column 'item_id', by which nodes name their neighbours"),
    ):
        with pytest.raises(RelataskError, match=said):
            model.predict(items)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("identity", "knows the 60 nodes of its own graph by their identities, and this is another graph"),
        ("labels", "reads labels of nodes of the graph that it was trained on, and this is another graph"),
    ],
)
def test_a_model_that_knows_its_nodes_refuses_another_graph(
    results: Path, own: pd.DataFrame, name: str, said: str
) -> None:
    model = model_of(results, name)
    edges = zip(own["item_id"], own["neighbours"], strict=True)
    more = own.assign(neighbours=[[*ids, (item + 1) % 60] for item, ids in edges])
    larger = pd.concat([own, pd.DataFrame({"item_id": [60], "neighbours": [[]], "vector": [[0.0] * 5]})])
    for other in (RING, more, larger):
        with pytest.raises(RelataskError, match=said):
            model.predict(other)


def test_a_model_that_reads_labels_of_nodes_needs_these_nodes(results: Path) -> None:
    model = model_of(results, "labels")
    assert model.trained.support is not None
    lost = int(model.trained.support.item_ids[0])
    other = RING.assign(item_id=[*range(lost), *range(lost + 1, 61)], neighbours=[[]] * 60)
    with pytest.raises(RelataskError, match=f"labels of the node {lost}, which the table lacks; give all"):
        model.predict(other)


@pytest.mark.parametrize("name", ["degree", "random_walk"])
def test_another_graph_is_read_by_means_and_deviations_of_the_own(
    results: Path, own: pd.DataFrame, name: str
) -> None:
    model = model_of(results, name)
    own = own.drop(columns="vector")
    expected = model.predict(own)[model.task_ids].to_numpy()
    others = own["neighbours"].map(lambda ids: (1000 - ids).tolist())
    copy = own.assign(item_id=1000 - own["item_id"], neighbours=others)
    alone = pd.DataFrame({"item_id": range(2000, 2600), "neighbours": [[]] * 600})
    found = model.predict(pd.concat([alone, own, copy]))[model.task_ids].to_numpy()
    np.testing.assert_allclose(found[600:660], expected, atol=1e-6)
    np.testing.assert_allclose(found[660:], expected, atol=1e-6)
    np.testing.assert_allclose(found[:600], found[:1].repeat(600, 0), atol=1e-6)
    assert expected.std() > 1e-3


def test_vectors_have_the_width_of_those_in_training(results: Path) -> None:
    model = model_of(results, "vectors")
    assert model.predict(RING.assign(vector=[[0.5] * 5] * 60))["task0"].between(0, 1).all()
    with pytest.raises(RelataskError, match="reads 5 numbers of each node, and this graph gives 2"):
        model.predict(RING.assign(vector=[[0.5] * 2] * 60))
    with pytest.raises(RelataskError, match="reads 5 numbers of each node, and this graph gives 0"):
        model.predict(RING)
