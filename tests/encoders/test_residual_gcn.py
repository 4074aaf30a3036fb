"""The encoder of SAME is torch-geometric's GCNConv with residuals and rows of length 1."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import GCNConv

from relatask.encoders.residual_gcn import ResidualGCN, build
from relatask.inputs.parts_batch import GRAPH, NODE, PAIR, GraphParts, PartsBatch
from tests.helpers.level_graphs import parts_of, random_graphs

WIDTH, LAYERS = 7, 3


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> GraphParts:
    return parts_of(random_graphs(8), tmp_path_factory.mktemp("parts"))


def encoder_of(parts: GraphParts, **options: object) -> ResidualGCN:
    torch.manual_seed(0)
    encoder = build(parts.n_features, WIDTH, LAYERS, **options).double()  # type: ignore[arg-type]
    for layer in encoder.layers:
        nn.init.uniform_(layer.bias, 0.05, 0.3)  # they start as 0, which would hide a mistake
    return encoder


def by_geometric(encoder: ResidualGCN, x: PartsBatch) -> Tensor:
    """The same states by GCNConv, with the encoder's own weights."""
    states = x.vectors.double()
    if encoder.attributes == "shares":
        states = states / states.sum(1, keepdim=True).clamp(min=1)
    for number, layer in enumerate(encoder.layers):
        assert isinstance(layer, nn.Linear)
        conv = GCNConv(layer.in_features, layer.out_features).double()
        conv.lin.weight, conv.bias = layer.weight, layer.bias
        out = conv(states, torch.stack([x.source, x.receiver])).relu()
        if encoder.residual and number:
            out = out + states
        states = nn.functional.normalize(out) if encoder.unit_rows else out
    return states


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("unit_rows", [True, False])
@pytest.mark.parametrize("attributes", ["shares", "given"])
def test_states_and_gradients_are_those_of_torch_geometric(
    parts: GraphParts, residual: bool, unit_rows: bool, attributes: str
) -> None:
    encoder = encoder_of(parts, residual=residual, unit_rows=unit_rows, attributes=attributes)
    x = parts.graphs(torch.tensor([5, 0, 7]))
    assert len(x.source)
    found, right = encoder.states(x), by_geometric(encoder, x)
    torch.testing.assert_close(found, right, rtol=1e-6, atol=1e-8)  # its own weights are float32
    direction = torch.randn(found.shape, dtype=torch.float64)
    values = [*encoder.parameters()]
    for own, other in zip(
        torch.autograd.grad((found * direction).sum(), values),
        torch.autograd.grad((right * direction).sum(), values),
        strict=True,
    ):
        torch.testing.assert_close(own, other, rtol=1e-5, atol=1e-7)
        assert own.abs().max() > 0


def test_embeddings_are_means_states_and_products_whatever_is_asked_beside(parts: GraphParts) -> None:
    encoder = encoder_of(parts)
    rows = torch.tensor([3, 9, len(parts) - 1, 0, 30])
    assert {GRAPH, NODE, PAIR} == set(parts.level[rows].tolist())
    found = encoder(parts.batch(rows))
    for row, embedding in zip(rows.tolist(), found, strict=True):
        alone = parts.batch(torch.tensor([row]))
        torch.testing.assert_close(encoder(alone)[0], embedding)
        states, (first, second) = encoder.states(alone), alone.parts[0].tolist()
        right = {GRAPH: states.mean(0), NODE: states[first], PAIR: states[first] * states[second]}
        torch.testing.assert_close(embedding, right[int(parts.level[row])])


def test_states_of_a_graph_do_not_depend_on_the_graphs_beside_it(parts: GraphParts) -> None:
    encoder = encoder_of(parts)
    together = encoder.states(parts.graphs(torch.arange(8)))
    for graph in range(8):
        own = slice(int(parts.node_offsets[graph]), int(parts.node_offsets[graph + 1]))
        torch.testing.assert_close(encoder.states(parts.graphs(torch.tensor([graph]))), together[own])


def test_a_graph_without_a_node_has_an_embedding_of_zeros(parts: GraphParts) -> None:
    encoder = encoder_of(parts)
    x = parts.graphs(torch.tensor([0]))
    ends = torch.cat([x.node_offsets, x.node_offsets[-1:]])
    empty = replace(x, node_offsets=ends, level=torch.tensor([GRAPH]), parts=torch.tensor([[1, 1]]))
    assert not encoder(empty).any()


def test_attributes_are_divided_by_their_sum_where_it_is_above_1(tmp_path: Path) -> None:
    encoder = encoder_of(parts_of(random_graphs(3), tmp_path))
    given = torch.tensor([[3.0, 1, 0, 0], [0.2, 0.3, 0, 0], [0, 0, 0, 0]])
    expected = torch.tensor([[0.75, 0.25, 0, 0], [0.2, 0.3, 0, 0], [0, 0, 0, 0]])
    torch.testing.assert_close(encoder._attributes(given), expected)
