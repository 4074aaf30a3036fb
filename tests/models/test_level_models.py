"""Trained models of graphs, nodes and pairs: other graphs are predicted, and what is none is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import relatask
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table
from relatask.models.prediction import Model
from tests.helpers.level_graphs import on_levels, write_levels
from tests.models.molecule_data import train

SPECS = {
    "same": on_levels("same"),
    "attributes": on_levels("attributes"),
    "shared_bottom": on_levels("shared_bottom"),
}
COLUMNS = ["item_id", "level", "parent", "vector", "neighbours", "ends"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of results in which all are trained."""
    results = tmp_path_factory.mktemp("levels") / "results"
    write_levels(results / "small", 20)
    train(results, list(SPECS.values()))
    return results


@pytest.fixture
def items(results: Path) -> pd.DataFrame:
    """The graphs of training and of the other folds."""
    return read_table("items", results / "small" / "items.parquet")[COLUMNS]


def model_of(results: Path, name: str) -> Model:
    return relatask.load(results / "study" / "runs" / SPECS[name].run_id)


@pytest.mark.parametrize("name", SPECS)
def test_a_graph_is_predicted_alone_as_among_others_in_any_order_and_under_other_ids(
    results: Path, items: pd.DataFrame, name: str
) -> None:
    model = model_of(results, name)
    expected = model.predict(items)
    own = items[(items["item_id"] == 4) | (items["parent"] == 4)]
    pd.testing.assert_frame_equal(model.predict(own), expected.loc[own.index], atol=1e-6)
    mixed = items.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(model.predict(mixed).sort_index(), expected, atol=1e-6)

    def shifted(ids: object) -> object:
        return None if ids is None else np.asarray(ids) + 1000

    renamed = own.assign(
        item_id=own["item_id"] + 1000,
        parent=own["parent"] + 1000,
        neighbours=own["neighbours"].map(shifted),
        ends=own["ends"].map(shifted),
    )
    pd.testing.assert_frame_equal(model.predict(renamed), expected.loc[own.index], atol=1e-6)


@pytest.mark.parametrize("name", SPECS)
def test_cells_of_another_level_than_the_items_are_empty(
    results: Path, items: pd.DataFrame, name: str
) -> None:
    found = model_of(results, name).predict(items)
    for task, level in (("graph_class", "graph"), ("node_class", "node"), ("link", "pair")):
        assert (found[task].notna() == (items["level"] == level)).all()
    assert found["graph_class"].dropna().isin(["red", "green", "blue"]).all()
    assert found["link"].dropna().between(0, 1).all()
    assert found["link"].std() > 0
    assert found["reason"].isna().all()


@pytest.mark.parametrize("name", SPECS)
def test_what_is_no_graph_with_its_parts_is_refused(results: Path, items: pd.DataFrame, name: str) -> None:
    model = model_of(results, name)
    own = items[(items["item_id"] == 4) | (items["parent"] == 4)]
    shorter = own.assign(vector=[None if one is None else one[:2] for one in own["vector"]])
    for table, said in (
        (own.drop(columns="item_id"), "no column 'item_id', by which nodes name their neighbours"),
        (own[own["level"] == "node"], "has the parent 4, which is no graph among the items"),
        (own.drop(columns="ends"), "the pairs have no column 'ends'"),
        (
            shorter,
            "the model reads 4 numbers of each node, and this table gives 2; give",
        ),
    ):
        with pytest.raises(RelataskError, match=said):
            model.predict(table)
    with pytest.raises(RelataskError, match=r"reads graphs, their nodes and pairs .*; give a table of"):
        model.predict(["CCO"])
    without = own[own["level"] != "pair"]
    pd.testing.assert_frame_equal(
        model.predict(without)[["graph_class"]].iloc[:1], model.predict(own)[["graph_class"]].iloc[:1]
    )
