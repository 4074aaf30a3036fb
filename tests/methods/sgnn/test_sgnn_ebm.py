"""SGNN-EBM's factors against the loops of the oracle, and what its options may be."""

from dataclasses import fields, replace

import pytest
import torch

from relatask.core.registry import capabilities
from relatask.methods.sgnn.colouring import Schedule
from relatask.methods.sgnn.contrast import ContrastSettings
from relatask.methods.sgnn.gibbs import Chains, gibbs_marginals
from relatask.methods.sgnn.layers import SGNNSettings
from relatask.methods.sgnn.sgnn_ebm import CAPABILITIES, EnergyNetwork, build
from tests.helpers.contrast_settings import contrast_settings
from tests.helpers.sgnn_networks import (
    BATCH,
    EDGES,
    N_TASKS,
    SMALL,
    WIDTH,
    NoEncoder,
    context,
    move_norms,
    slow,
)
from tests.oracles import sgnn as oracle

pytestmark = pytest.mark.usefixtures("doubles")
CASES = [{}, {"layers": 0}, {"layers": 1, "task_layers": 0}, {"layers": 3, "batch_norm": False}]


def network(edges=EDGES, **options) -> EnergyNetwork:
    torch.manual_seed(0)
    settings = SGNNSettings(**{**SMALL, **options})
    return move_norms(EnergyNetwork(NoEncoder(), context(edges), settings, 2, contrast_settings()))


@pytest.mark.parametrize("options", CASES, ids=str)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_factors_and_gradients_equal_the_loops(options, training):
    model = network(**options).train(training)
    x = torch.randn(BATCH, WIDTH, requires_grad=True)
    upstream = torch.randn(BATCH, N_TASKS, 2), torch.randn(BATCH, len(EDGES), 2, 2)
    expected = oracle.factors(slow(model), x, "node_readout", "edge_readout")
    parameters = {"x": x, **dict(model.named_parameters())}
    wanted = gradients(expected, upstream, parameters)
    found = model.energies(x)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    got = gradients(found, upstream, parameters)
    for name in parameters:
        torch.testing.assert_close(got[name], wanted[name], rtol=1e-7, atol=1e-9, msg=name)
    assert float(found[1].detach().exp().sum((2, 3)).sub(1).abs().max()) < 1e-9


@pytest.mark.parametrize("edges", [EDGES, ()], ids=["relations", "no relations"])
def test_without_a_weight_or_without_relations_there_are_node_factors_alone(edges):
    """They are those that the network has with edge factors too, and their Gibbs marginals are exact."""
    torch.manual_seed(0)
    options = contrast_settings(edge_weight=0.0 if edges else 1.0, sweeps=1, burn_in=0)
    given = context(edges, without_graph=not edges)
    model = move_norms(EnergyNetwork(NoEncoder(), given, SGNNSettings(**SMALL), 2, options)).eval()
    x = torch.randn(BATCH, WIDTH)
    node, edge = model.energies(x)
    assert edge.shape == (BATCH, 0, 2, 2)
    assert not any(name.startswith("edge_readout") for name in model.state_dict())
    expected, _ = oracle.factors(slow(model, edges), x, "node_readout", None)
    torch.testing.assert_close(node, expected, rtol=1e-9, atol=1e-9)
    prior = torch.rand(BATCH, N_TASKS)
    chains = Chains(Schedule.of(model.edge_index, N_TASKS), node, edge, model.edge_index, prior, options)
    marginals = gibbs_marginals(chains, options, 0, torch.arange(BATCH), torch.arange(N_TASKS))
    tilted = torch.stack([1 - prior, prior], -1) * node.exp()
    torch.testing.assert_close(marginals, tilted[..., 1] / tilted.sum(-1), rtol=1e-6, atol=1e-9)


def gradients(factors, upstream, parameters) -> dict[str, torch.Tensor]:
    total = sum((factor * weight).sum() for factor, weight in zip(factors, upstream, strict=True))
    return dict(zip(parameters, torch.autograd.grad(total, list(parameters.values())), strict=True))


def test_turned_and_reordered_pairs_have_the_same_factors():
    plain, x = network().eval(), torch.randn(BATCH, WIDTH)
    order = [3, 0, 4, 1, 2]
    other = network([EDGES[k][::-1] for k in order]).eval()
    other.load_state_dict(plain.state_dict())
    with torch.no_grad():
        (node, edge), (same_node, same_edge) = plain.energies(x), other.energies(x)
    torch.testing.assert_close(same_node, node, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(same_edge, edge[:, order], rtol=1e-12, atol=1e-12)
    assert torch.equal(other.edge_index, plain.edge_index[:, order])  # the lower task stays first


def test_renumbered_tasks_have_the_same_factors():
    plain, x = network().eval(), torch.randn(BATCH, WIDTH)
    place = torch.tensor([4, 0, 5, 2, 1, 3])  # of each task in the other network
    edges = [(int(place[i]), int(place[j])) for i, j in EDGES]
    other = network(edges).eval()
    weights = plain.state_dict()
    weights["sgnn.tasks.embedding"] = weights["sgnn.tasks.embedding"][place.argsort()]
    other.load_state_dict(weights)
    with torch.no_grad():
        (node, edge), (same_node, same_edge) = plain.energies(x), other.energies(x)
    torch.testing.assert_close(same_node, node[:, place.argsort()], rtol=1e-9, atol=1e-12)
    turned = torch.tensor([a > b for a, b in edges])
    edge = torch.where(turned[:, None, None], edge.transpose(2, 3), edge)
    torch.testing.assert_close(same_edge, edge, rtol=1e-9, atol=1e-12)


def test_every_option_reaches_the_network_or_the_contrast_with_its_default():
    options = CAPABILITIES["options"]
    defaults = {entry.name for entry in fields(ContrastSettings)}
    assert defaults < set(options)
    others = {entry.name for entry in fields(SGNNSettings)} | {"edge_readout_width"}
    assert set(options) - defaults == others
    assert all(
        capabilities("methods", "sgnn").options[name] == options[name]
        for name in others - {"edge_readout_width"}
    )
    given = replace(context(), encoder=NoEncoder)
    model = build(given, **{**options, "sweeps": 3, "state_width": 7})
    assert model.contrast.sweeps == 3
    assert model.sgnn.state_width == 14
