"""Graph convolutions on nodes are those of torch-geometric; what nodes start from is what was chosen."""

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import GCNConv

from relatask.core.errors import RelataskError
from relatask.encoders.node_gcn import NodeGCNs, build, together
from relatask.inputs.node_batch import NodeGraph
from tests.helpers.node_graphs import graph_tensors
from tests.helpers.precision import assert_bf16_stays_near_fp32

N, T, WIDTH, LAYERS = 9, 3, 6, 2
EDGES = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 0), (6, 7)]  # 8 has none


def graph_of(vectors: int = 0) -> NodeGraph:
    return graph_tensors(EDGES, N, vectors)


def networks_of(features: str, graph: NodeGraph) -> NodeGCNs:
    torch.manual_seed(0)
    encoders = [build(graph.n_nodes, graph.n_features, features, WIDTH, LAYERS) for _ in range(T)]
    found = together(encoders).double()
    with torch.no_grad():  # biases and norms start as 0 and 1, which would hide a mistake
        for parameter in found.layers.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return found


def first_states(features: str, networks: NodeGCNs, task: int, graph: NodeGraph) -> Tensor:
    """What nodes start from, node by node."""
    weight = networks.first[task]
    if features == "identity":
        return weight
    if features == "vectors":
        assert graph.vectors is not None
        return graph.vectors.double() @ weight
    values = graph.encodings if features == "random_walk" else (1 + graph.degrees.float()).log()[:, None]
    rows = torch.zeros(N, values.shape[1], dtype=torch.float64)
    for column in range(values.shape[1]):
        own = values[:, column]
        spread = float(((own - own.mean()) ** 2).mean() ** 0.5)
        rows[:, column] = (own - own.mean()) / (spread or 1.0)
    return rows @ weight


@pytest.mark.parametrize("features", ["random_walk", "degree", "identity", "vectors"])
def test_states_are_those_of_torch_geometric(features: str) -> None:
    graph = graph_of(4)
    networks = networks_of(features, graph)
    asked = torch.tensor([8, 0, 4])
    found = networks(graph.batch(asked))
    assert found.shape == (3, T, WIDTH)
    edges = torch.tensor([*EDGES, *((j, i) for i, j in EDGES)]).T
    for task in range(T):
        states = first_states(features, networks, task, graph)
        for linear, norm in zip(networks.layers.linears, networks.layers.norms, strict=True):
            conv, layer_norm = GCNConv(WIDTH, WIDTH).double(), nn.LayerNorm(WIDTH).double()
            conv.lin.weight = nn.Parameter(linear.weight[task].T)
            conv.bias = nn.Parameter(linear.bias[task])
            layer_norm.weight = nn.Parameter(norm.weight[task])
            layer_norm.bias = nn.Parameter(norm.bias[task])
            states = layer_norm(conv(states, edges)).relu()
        torch.testing.assert_close(found[:, task], states[asked], rtol=1e-5, atol=1e-6)


def test_gradients_are_those_of_plain_operations() -> None:
    graph = graph_of()
    networks = networks_of("identity", graph)
    asked = graph.batch(torch.tensor([1, 5]))

    def gradients() -> list[Tensor]:
        networks.zero_grad()
        networks(asked).square().sum().backward()
        return [parameter.grad.clone() for parameter in networks.parameters() if parameter.grad is not None]

    fast = gradients()
    networks.plain = True
    assert len(fast) == len(list(networks.parameters()))
    torch.testing.assert_close(gradients(), fast, rtol=1e-5, atol=1e-8)
    assert all(gradient.abs().max() > 0 for gradient in fast)


def test_what_a_graph_does_not_have_is_refused() -> None:
    with pytest.raises(RelataskError, match="the source gives no vectors of nodes; choose other `features`"):
        build(N, 0, "vectors")
    with pytest.raises(RelataskError, match=r"knows the 5 nodes of its own graph .* graph, of 9 nodes"):
        build(5, 0, "identity")(graph_of().batch(torch.tensor([0])))
    with pytest.raises(RelataskError, match="reads 7 numbers of each node, and this graph gives 4"):
        build(N, 7, "vectors")(graph_of(4).batch(torch.tensor([0])))


@pytest.mark.parametrize("features", ["random_walk", "degree"])
def test_what_a_graph_says_is_worked_out_once_and_trains_after_a_prediction(features: str) -> None:
    graph = graph_of()
    networks = networks_of(features, graph)
    with torch.inference_mode():
        predicted = networks(graph.batch(torch.tensor([1, 5])))
    made = graph.adjacency, graph.standard_degrees, graph.standard_encodings
    embeddings = networks(graph.batch(torch.tensor([1, 5])))
    embeddings.sum().backward()
    assert torch.equal(embeddings, predicted)
    assert networks.first.grad.abs().sum() > 0
    again = graph.adjacency, graph.standard_degrees, graph.standard_encodings
    assert all(one is other for one, other in zip(made, again, strict=True))


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("features", ["random_walk", "identity"])
def test_bf16_autocast_stays_near_fp32_and_returns_fp32(features: str, plain: bool) -> None:
    graph = graph_of()
    networks = networks_of(features, graph).float()
    networks.plain = plain
    asked = graph.batch(torch.arange(N))

    assert_bf16_stays_near_fp32(networks, lambda: networks(asked))


@pytest.mark.parametrize("plain", [False, True])
def test_dropout_scales_what_it_keeps_and_is_for_training_alone(plain: bool) -> None:
    torch.manual_seed(0)
    graph = graph_of()
    networks = together([build(N, 0, "identity", 64, 1, dropout=0.25)] * 2)
    networks.plain = plain
    asked = graph.batch(torch.arange(N))
    drawn, whole = networks(asked), networks.eval()(asked)
    assert torch.equal(whole[:, 0], whole[:, 1])
    assert torch.equal(whole, networks(asked))
    kept, there = drawn != 0, whole != 0
    torch.testing.assert_close(drawn[kept], whole[kept] / 0.75)
    assert abs(kept[there].float().mean() - 0.75) < 0.05
    assert not torch.equal(drawn[:, 0], drawn[:, 1])
