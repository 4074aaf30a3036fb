"""The encoder of vectors reads vectors of the length it was built for, and says so of others."""

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.encoders.mlp import build
from relatask.inputs.arrays import load_input, write_features
from relatask.inputs.vectors import featurise


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
        build()(found.batch(rows))
    with pytest.raises(RelataskError, match="holds no input of the form 'vector'. Did you mean 'vectors'"):
        load_input(tmp_path, "vector")


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        ([[1.0, 2.0], [1.0]], r"differ in length: \[1, 2\]"),
        ([[1.0, 2.0], [1.0, np.nan]], "the vector of the item 4 holds what is no finite number"),
    ],
)
def test_vectors_that_no_network_could_read_are_named(vectors, said):
    with pytest.raises(RelataskError, match=said):
        featurise(pd.DataFrame({"item_id": [3, 4], "vector": vectors}))
    with pytest.raises(RelataskError, match="the items have no column `vector`"):
        featurise(pd.DataFrame({"item_id": [3, 4]}))
