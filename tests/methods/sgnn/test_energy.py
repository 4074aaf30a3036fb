"""Energy, tilting distribution and noise contrast equal the equations as they are written."""

import math
from dataclasses import replace

import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.methods.sgnn.energy import (
    edge_weights,
    energies,
    fields,
    inside,
    log_bernoulli,
    log_softmax_factors,
)
from relatask.methods.sgnn.nce import (
    bernoulli,
    completed,
    contrast,
    label_vectors,
    noise_is_due,
    updated_noise,
)
from relatask.methods.sgnn.sgnn_ebm import CAPABILITIES
from relatask.nn.draws import uniforms
from tests.helpers.contrast_settings import contrast_settings
from tests.oracles import ebm_oracle as oracle

PROBLEMS = oracle.random_problems(3, 5, 0.6, seed=1)
NODE, EDGE, EDGES, BACKBONE = oracle.stacked(PROBLEMS)
EVERY = torch.tensor(oracle.all_labels(5), dtype=torch.float64)  # [32, 5]
NAN = math.nan


def every(n: int) -> torch.Tensor:
    return EVERY.expand(n, -1, -1)


def test_energies_and_their_tilted_probabilities_equal_the_equations():
    fast = energies(NODE, EDGE, EDGES, every(3), 0.7)
    tilted = log_bernoulli(every(3), BACKBONE) - fast
    for row, problem in enumerate(PROBLEMS):
        for column, y in enumerate(oracle.all_labels(5)):
            assert fast[row, column].item() == pytest.approx(float(oracle.energy(problem, y)), rel=1e-12)
            expected = float(oracle.tilted(problem, y))
            assert tilted[row, column].exp().item() == pytest.approx(expected, rel=1e-12)


def test_gradients_of_the_energy_equal_those_of_the_equations():
    y = every(1)[:, [3, 17, 30]]
    node, edge = NODE[:1].clone().requires_grad_(), EDGE[:1].clone().requires_grad_()
    energies(node, edge, EDGES, y, 0.7).square().sum().backward()
    problem = replace(PROBLEMS[0], node=node[0].detach().clone(), edge=edge[0].detach().clone())
    problem.node.requires_grad_()
    problem.edge.requires_grad_()
    sum(oracle.energy(problem, [int(v) for v in one]) ** 2 for one in y[0].tolist()).backward()
    torch.testing.assert_close(node.grad[0], problem.node.grad, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(edge.grad[0], problem.edge.grad, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("by_degree", [False, True])
def test_fields_are_the_energy_up_to_a_constant(by_degree):
    weight = edge_weights(NODE, EDGES, 0.7, by_degree)
    field, coupling = fields(NODE, EDGE, EDGES, weight)
    linear = torch.einsum("tb,kt->bk", field, EVERY)
    pairs = torch.einsum("eb,ke->bk", coupling, EVERY[:, EDGES[0]] * EVERY[:, EDGES[1]])
    constant = -energies(NODE, EDGE, EDGES, every(3), weight) - linear - pairs
    torch.testing.assert_close(constant, constant[:, :1].expand_as(constant), rtol=1e-12, atol=1e-12)


def test_factors_are_normalised_over_the_states_of_a_node_and_of_an_edge():
    node, edge = log_softmax_factors(torch.randn(2, 3, 2), torch.randn(2, 4, 2, 2))
    torch.testing.assert_close(node.exp().sum(-1), torch.ones(2, 3))
    torch.testing.assert_close(edge.exp().sum((-2, -1)), torch.ones(2, 4))
    assert (
        energies(node, edge, torch.tensor([[0, 1, 2, 0], [1, 2, 0, 1]]), torch.ones(2, 1, 3), 1.0) > 0
    ).all()


def test_a_graph_without_relations_has_the_energy_of_its_nodes():
    none = torch.zeros(2, 0, dtype=torch.int64)
    fast = energies(NODE, EDGE[:, :0], none, every(3), 0.7)
    torch.testing.assert_close(fast[:, -1], -NODE[..., 1].sum(-1))


def test_probabilities_of_0_and_1_keep_finite_logarithms_and_others_stay():
    given = torch.tensor([0.0, 1e-3, 0.5, 1 - 2.0**-24, 1.0])
    moved = inside(given)
    assert torch.equal(moved[1:4], given[1:4])
    assert log_bernoulli(torch.tensor([[[1.0, 1, 1, 0, 0]]]), moved[None]).isfinite().all()


OBJECTIVES = CAPABILITIES["choices"]["objective"]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize(("adapted", "by_degree"), [(False, False), (True, True)])
def test_every_objective_and_its_gradients_equal_the_equations(objective, adapted, by_degree):
    settings = contrast_settings(edge_weight=0.7, objective=objective, degree_normalised=by_degree)
    noise = BACKBONE.flip(1) if adapted else BACKBONE
    data, noisy = every(3)[:, [1, 9]], every(3)[:, [30, 4]]
    # Without the log-softmax a factor is any number: here all of a node or an edge are moved by the same.
    free = objective == "nce_unnormalised"
    node, edge = (
        (
            factor
            + free * torch.randn(len(factor), 1, 1, dtype=torch.float64).view(-1, *[1] * (factor.dim() - 1))
        )
        .detach()
        .requires_grad_()
        for factor in (NODE, EDGE)
    )
    log_z = torch.tensor(-2.5, dtype=torch.float64, requires_grad=True) if objective == "nce_log_z" else None
    losses = contrast(node, edge, EDGES, data, noisy, BACKBONE, noise, settings, log_z)
    losses.sum().backward()
    states, slow_z = oracle.all_labels(5), torch.tensor(-2.5, dtype=torch.float64, requires_grad=True)
    for row, problem in enumerate(PROBLEMS):
        factors = (factor[row].detach().clone().requires_grad_() for factor in (node, edge))
        slow = replace(problem, **dict(zip(("node", "edge"), factors, strict=True)), by_degree=by_degree)
        vectors = ([(states[1], 0.5), (states[9], 0.5)], [(states[30], 0.5), (states[4], 0.5)])
        if objective == "pseudo_likelihood":
            expected = oracle.pseudo_likelihood(slow, [states[1], states[9]])
        else:
            z = 0.0 if log_z is None else slow_z
            expected = oracle.nce(slow, *vectors, noise[row].tolist(), objective, z)
        expected.backward()
        torch.testing.assert_close(losses[row], expected, rtol=1e-6, atol=1e-9)
        torch.testing.assert_close(node.grad[row], slow.node.grad, rtol=1e-6, atol=1e-9)
        torch.testing.assert_close(edge.grad[row], slow.edge.grad, rtol=1e-6, atol=1e-9)
    if log_z is not None:
        torch.testing.assert_close(log_z.grad, slow_z.grad, rtol=1e-6, atol=1e-9)


def test_with_the_backbone_as_noise_eq_12_is_eq_21():
    states = oracle.all_labels(5)
    data, noisy = [states[1], states[9]], [states[30], states[4]]
    arguments = (every(3)[:, [1, 9]], every(3)[:, [30, 4]], BACKBONE, BACKBONE.clone())
    losses = contrast(NODE, EDGE, EDGES, *arguments, contrast_settings(edge_weight=0.7))
    for row, problem in enumerate(PROBLEMS):
        expected = oracle.nce_of_energies(problem, data, noisy)
        torch.testing.assert_close(losses[row], expected, rtol=1e-12, atol=1e-12)


def test_energies_of_hundreds_do_not_overflow():
    node = torch.full((1, 400, 2), -3.0, requires_grad=True)
    edge = torch.zeros(1, 0, 2, 2)
    arguments = (torch.zeros(2, 0, dtype=torch.int64), torch.ones(1, 1, 400), torch.zeros(1, 1, 400))
    half = torch.full((1, 400), 0.5)
    loss = contrast(node, edge, *arguments, half, half, contrast_settings())
    loss.sum().backward()
    assert loss.item() == pytest.approx(1200)  # softplus(1200) + softplus(-1200)
    assert node.grad.isfinite().all()


@pytest.mark.parametrize("imputation", ["sampled", "noise", "thresholded"])
@pytest.mark.parametrize("paired", [False, True])
def test_the_loss_estimates_the_expectation_over_imputation_and_noise(imputation, paired):
    labels = torch.tensor([[1.0, NAN, NAN, 0.0, NAN]], dtype=torch.float64)
    noise = BACKBONE[:1] * 0.5 + 0.2
    settings = contrast_settings(
        edge_weight=0.7, imputation=imputation, paired=paired, noise_samples=2, objective="paper"
    )
    n = 40_000
    many = (labels.expand(n, -1), BACKBONE[:1].expand(n, -1), noise.expand(n, -1))
    vectors = label_vectors(*many, settings, 5, torch.arange(n), torch.arange(5))
    problem = replace(PROBLEMS[0], node=NODE[0] + 1, edge=EDGE[0] + 1)  # energies around 0, where it bends
    factors = (problem.node.expand(n, -1, -1), problem.edge.expand(n, -1, -1, -1), EDGES)
    losses = contrast(*factors, *vectors, *many[1:], settings)
    filler = {
        "sampled": BACKBONE[0],
        "noise": noise[0],
        "thresholded": (BACKBONE[0] > 0.5).double(),
    }[imputation]
    noisy = [(y, oracle.probability(y, noise[0].tolist())) for y in oracle.all_labels(5)]
    data = oracle.completions(labels[0].tolist(), filler.tolist())
    exact = float(oracle.nce(problem, data, noisy, noise[0].tolist()))
    z = (losses.mean() - exact) / (losses.std() / n**0.5)
    assert abs(z) < 3.5
    assert losses.std() > 0.1  # so that the test could fail


def test_pairing_the_draws_lowers_the_variance_of_the_gradient():
    labels = torch.full((2000, 5), NAN, dtype=torch.float64)
    labels[:, 0] = 1
    many = (labels, *(BACKBONE[:1].expand(2000, -1),) * 2)
    spread = {}
    for paired in (True, False):
        settings = contrast_settings(paired=paired, edge_weight=0.1)
        node = (NODE[:1] * 0.1).expand(2000, -1, -1).clone().requires_grad_()
        vectors = label_vectors(*many, settings, 3, torch.arange(2000), torch.arange(5))
        factors = (node, EDGE[:1].expand(2000, -1, -1, -1) * 0.1, EDGES)
        contrast(*factors, *vectors, *many[1:], settings).sum().backward()
        spread[paired] = node.grad[:, 1:].var(0).sum().item()
    assert spread[True] < 0.3 * spread[False]


def test_known_labels_stay_and_missing_ones_come_from_where_the_option_says():
    labels = torch.tensor([[1.0, NAN, 0.0, NAN]])
    backbone, noise = torch.tensor([[0.0, 1.0, 1.0, 0.6]]), torch.tensor([[0.0, 0.0, 1.0, 0.4]])
    draws = uniforms(0, torch.arange(1000)[:, None], torch.arange(4))[None]
    filled = {
        kind: completed(labels, backbone, noise, draws, contrast_settings(imputation=kind))[0]
        for kind in ("sampled", "thresholded", "noise")
    }
    for vectors in filled.values():
        assert (vectors[:, 0] == 1).all()
        assert (vectors[:, 2] == 0).all()
    assert (filled["sampled"][:, 1] == 1).all()
    assert (filled["noise"][:, 1] == 0).all()
    assert (filled["thresholded"][:, 3] == 1).all()
    assert filled["sampled"][:, 3].mean().item() == pytest.approx(0.6, abs=0.05)
    assert filled["noise"][:, 3].mean().item() == pytest.approx(0.4, abs=0.05)
    assert torch.equal(bernoulli(noise, draws)[0, :, 3], filled["noise"][:, 3])


def test_label_vectors_of_a_molecule_do_not_depend_on_its_batch():
    labels = torch.where(torch.rand(6, 5) < 0.5, NAN, 1.0)
    settings = contrast_settings(noise_samples=3, paired=False)
    numbers, backbone = torch.arange(100, 106), torch.rand(6, 5)
    together = label_vectors(labels, backbone, backbone, settings, 9, numbers, torch.arange(5))
    part = torch.tensor([4, 1])
    alone = label_vectors(
        labels[part], backbone[part], backbone[part], settings, 9, numbers[part], torch.arange(5)
    )
    for whole, some in zip(together, alone, strict=True):
        assert torch.equal(whole[part], some)


def test_noise_is_updated_every_so_many_epochs_after_the_fixed_ones():
    def due(**options) -> list[int]:
        return [epoch for epoch in range(1, 13) if noise_is_due(epoch, contrast_settings(**options))]

    assert due(noise="adaptive", noise_every=4) == [4, 8, 12]
    assert due(noise="adaptive", noise_every=4, fixed_noise_epochs=3) == [3, 7, 11]
    assert due(noise="adaptive", noise_every=0) == []
    assert due(noise="fixed", noise_every=1) == []


def test_an_update_mixes_the_models_marginals_into_the_noise():
    noise, marginals = torch.tensor([0.2, 0.6]), torch.tensor([1.0, 0.0])
    torch.testing.assert_close(updated_noise(noise, marginals, 0.25), torch.tensor([0.4, 0.45]))
    replaced = updated_noise(noise, marginals, 1.0)
    assert torch.equal(replaced, inside(marginals))
    assert replaced.logit().isfinite().all()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"noise": "adaptve"}, r"'noise' of method 'sgnn_ebm' cannot be 'adaptve'. Did you mean 'adaptive'"),
        ({"sweeps": 0}, "'sweeps' of method 'sgnn_ebm' must be from 1 to 1000000, not 0"),
        ({"noise_mixing": 0.0}, "'noise_mixing' of method 'sgnn_ebm' must be from 1e-06 to 1.0, not 0.0"),
    ],
)
def test_an_impossible_option_is_told_by_name(options, told):
    with pytest.raises(RelataskError, match=told):
        contrast_settings(**options)
