"""The stacked graph convolutions are those of torch-geometric, network by network."""

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import GCNConv
from torch_geometric.nn.aggr import Set2Set

from relatask.encoders.gcn import MoleculeGCNs, build, together
from relatask.inputs.graph_batch import N_ATOMIC_NUMBERS, N_CHIRALITIES, GraphBatch, MoleculeGraphs
from tests.helpers.precision import assert_bf16_stays_near_fp32
from tests.oracles.gin_oracle import as_arrays, random_molecules

T, WIDTH, LAYERS, STEPS = 3, 8, 2, 3


@pytest.fixture
def x() -> GraphBatch:
    graphs = MoleculeGraphs.from_arrays(**as_arrays(random_molecules([1, 5, 9, 2], seed=1)))
    return graphs.batch(torch.arange(4))


@pytest.fixture
def networks() -> MoleculeGCNs:
    torch.manual_seed(0)
    found = together([build(WIDTH, LAYERS, STEPS) for _ in range(T)]).double()
    with torch.no_grad():  # biases and norms start as 0 and 1, which would hide a mistake
        for parameter in found.layers.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return found


def by_torch_geometric(networks: MoleculeGCNs, task: int, x: GraphBatch) -> tuple[Tensor, Tensor]:
    """States and embeddings of one network, by layers with a copy of its weights."""
    receiver = torch.repeat_interleave(x.neighbour_offsets.diff())
    edges = torch.stack([x.neighbours.long(), receiver])
    edges = edges[:, edges[0] != edges[1]]  # GCNConv adds the loops itself
    table = networks.kinds[task]
    bonds = table[N_ATOMIC_NUMBERS + N_CHIRALITIES :]
    states = table[x.atoms // N_CHIRALITIES] + table[N_ATOMIC_NUMBERS + x.atoms % N_CHIRALITIES]
    states = states + x.bond_counts.double() @ bonds
    for linear, norm in zip(networks.layers.linears, networks.layers.norms, strict=True):
        conv, layer_norm = GCNConv(WIDTH, WIDTH).double(), nn.LayerNorm(WIDTH).double()
        conv.lin.weight, conv.bias = nn.Parameter(linear.weight[task].T), nn.Parameter(linear.bias[task])
        layer_norm.weight, layer_norm.bias = nn.Parameter(norm.weight[task]), nn.Parameter(norm.bias[task])
        states = layer_norm(conv(states, edges)).relu()
    read = Set2Set(WIDTH, STEPS).double()
    read.lstm.weight_ih_l0 = nn.Parameter(networks.read.read.weight[task].T)
    read.lstm.weight_hh_l0 = nn.Parameter(networks.read.keep.weight[task].T)
    read.lstm.bias_ih_l0 = nn.Parameter(networks.read.read.bias[task])
    read.lstm.bias_hh_l0 = nn.Parameter(torch.zeros_like(read.lstm.bias_hh_l0))
    return states, read(states, x.molecules)


def test_states_and_embeddings_are_those_of_torch_geometric(networks: MoleculeGCNs, x: GraphBatch) -> None:
    states = networks.states(x)
    found = networks.pool(states, x)
    assert states.shape == (len(x.atoms), T, WIDTH)
    for task in range(T):
        right, pooled = by_torch_geometric(networks, task, x)
        torch.testing.assert_close(states[:, task], right, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(found[:, task], pooled, rtol=1e-5, atol=1e-6)


def test_gradients_are_those_of_plain_operations(networks: MoleculeGCNs, x: GraphBatch) -> None:
    def gradients() -> list[Tensor]:
        networks.zero_grad()
        networks(x).square().sum().backward()
        return [parameter.grad.clone() for parameter in networks.parameters() if parameter.grad is not None]

    fast = gradients()
    networks.plain = True
    plain = gradients()
    assert len(fast) == len(list(networks.parameters()))
    for one, other in zip(fast, plain, strict=True):
        assert one.abs().max() > 0
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)


def test_each_layer_can_be_mixed_before_the_next(networks: MoleculeGCNs, x: GraphBatch) -> None:
    layers: list[int] = []

    def halved(layer: int, states: Tensor) -> Tensor:
        layers.append(layer)
        return states / 2 if layer == 0 else states

    mixed = networks.states(x, halved)
    assert layers == [*range(networks.depth)]
    assert not torch.allclose(mixed, networks.states(x))


@pytest.mark.parametrize("plain", [False, True])
def test_bf16_autocast_stays_near_fp32_and_returns_fp32(x: GraphBatch, plain: bool) -> None:
    torch.manual_seed(0)
    networks = together([build(WIDTH, LAYERS, STEPS) for _ in range(T)])
    networks.plain = plain

    def embeddings() -> Tensor:
        return networks.pool(networks.states(x, lambda layer, states: states + 0.1 * states.flip(1)), x)

    assert_bf16_stays_near_fp32(networks, embeddings)


@pytest.mark.parametrize("plain", [False, True])
def test_states_in_bf16_are_pooled_as_those_in_fp32(x: GraphBatch, plain: bool) -> None:
    torch.manual_seed(0)
    networks = together([build(WIDTH, LAYERS, STEPS) for _ in range(T)])
    networks.plain = plain
    states = networks.states(x).detach().bfloat16().requires_grad_()
    fp32 = networks.pool(states.float(), x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        bf16 = networks.pool(states, x)
    torch.testing.assert_close(bf16, fp32, rtol=0.05, atol=0.02)
    (gradient,) = torch.autograd.grad(bf16.square().sum(), states)
    (right,) = torch.autograd.grad(fp32.square().sum(), states)
    assert torch.cosine_similarity(gradient.float().flatten(), right.float().flatten(), 0) > 0.98


def test_dropout_is_drawn_for_each_network_and_in_training_alone(x: GraphBatch) -> None:
    torch.manual_seed(0)
    encoder = build(32, 1, STEPS, dropout=0.25)
    networks = together([encoder, encoder])
    drawn = networks.states(x)
    one, other = networks.eval().states(x).unbind(1)
    assert torch.equal(one, other)
    kept = drawn != 0
    torch.testing.assert_close(drawn[kept], torch.stack([one, one], 1)[kept] / 0.75)
    there = torch.stack([one, one], 1) != 0
    assert abs(kept[there].float().mean() - 0.75) < 0.05
    assert not torch.equal(drawn[:, 0], drawn[:, 1])
