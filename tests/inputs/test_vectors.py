"""Vectors go from the items of a source to the encoder that reads them, and what does not fit is named."""

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.core.tables import read_chunks, read_plain, read_table, write_table
from relatask.data.dataset_counts import content_digest
from relatask.data.source_tables import empty_table
from relatask.encoders.mlp import build
from relatask.inputs.arrays import load_input, write_features
from relatask.inputs.vectors import featurise
from tests.helpers.data_tables import items_table


def test_vectors_of_the_source_are_what_the_encoder_reads(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    items = pd.DataFrame({"item_id": range(7), "vector": list(vectors)})
    write_features((items.iloc[row : row + 3] for row in (0, 3, 6)), ["vectors"], tmp_path)
    found = load_input(tmp_path, "vectors")
    assert len(found) == 7
    rows = torch.tensor([6, 0, 6])
    np.testing.assert_array_equal(found.batch(rows), vectors[[6, 0, 6]])
    torch.manual_seed(0)
    encoder = build(features=5, width=4, layers=2).eval()
    by_hand = torch.from_numpy(vectors)[rows]
    for layer in encoder.layers:
        by_hand = (by_hand @ layer.weight.T + layer.bias).clamp(min=0)
    torch.testing.assert_close(encoder(found.batch(rows)), by_hand)
    with pytest.raises(
        RelataskError, match=r"have 5 numbers and the encoder mlp reads 64; set `features: 5`"
    ):
        build(features=64)(found.batch(rows))
    with pytest.raises(RelataskError, match=r"holds no input of the form 'vector'. Did you mean 'vectors'"):
        load_input(tmp_path, "vector")


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        ([[1.0, 2.0], [1.0]], r"differ in length: \[1, 2\]"),
        ([[1.0, 2.0], [1.0, np.nan]], "the vector of the item 4 holds what is no finite number"),
        ([[1.0, 2.0], None], "the vector of the item 4 is None; give a list of numbers"),
        (["1.0", [1.0]], "the vector of the item 3 is '1.0'; give a list of numbers"),
        ([[1.0], ["x"]], r"the vector of the item 4 is \['x'\]; give a list of numbers"),
    ],
)
def test_vectors_that_no_network_could_read_are_named(vectors, said):
    with pytest.raises(RelataskError, match=said):
        featurise(pd.DataFrame({"item_id": [3, 4], "vector": vectors}))
    with pytest.raises(RelataskError, match="the items have no column `vector`"):
        featurise(pd.DataFrame({"item_id": [3, 4]}))


def test_open_tables_keep_further_columns_and_are_read_in_part(tmp_path):
    items = items_table([0, 1, 2], "node", vector=[np.ones(2, np.float32)] * 3, file=["a", "b", "c"])
    items["content"] = pd.Series([b"x", None, b"z"], dtype=object)
    write_table("items", items, tmp_path / "items.parquet")
    back = read_table("items", tmp_path / "items.parquet")
    assert list(back) == list(items)
    assert back["vector"].map(len).tolist() == [2, 2, 2]
    assert back["content"].tolist() == [b"x", None, b"z"]
    assert list(read_plain("items", tmp_path / "items.parquet")) == [*list(items)[:4], "file"]
    parts = list(read_chunks("items", tmp_path / "items.parquet", 2))
    assert [part["item_id"].tolist() for part in parts] == [[0, 1], [2]]
    others = {name: empty_table(name) for name in ("labels", "relations", "tasks", "classes")}
    others["labels"] = others["labels"].astype({"task_id": "category", "bound": "category"})
    digests = {
        content_digest({**others, "items": changed})
        for changed in (
            items,
            items.assign(file="elsewhere"),
            items.assign(vector=[np.zeros(2, np.float32)] * 3),
        )
    }
    assert len(digests) == 2  # where a file lies is no content
