"""How much noise and data weigh in SGNN-EBM's gradient with the tasks and relations of KIBA at tau 100.

An oracle of few tasks cannot see this: with ten tasks an energy is a few nats, with 140 it is hundreds.
"""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.methods.sgnn.layers import SGNNSettings
from relatask.methods.sgnn.nce import contrast, label_vectors, log_ratio
from relatask.methods.sgnn.sgnn_ebm import EnergyNetwork
from tests.helpers.contrast_settings import contrast_settings
from tests.helpers.sgnn_networks import SMALL, WIDTH, NoEncoder, context

N_TASKS, N_EDGES, BATCH = 140, 406, 8
FEW = settings(max_examples=3, deadline=None)


class Step:
    """A network on a random graph, and what a training step sees of a batch of random molecules."""

    def __init__(self, objective: str, seed: int, edge_weight: float = 1.0):
        torch.manual_seed(seed)
        pairs = torch.combinations(torch.arange(N_TASKS))
        edges = pairs[torch.randperm(len(pairs))[:N_EDGES]].tolist()
        self.settings = contrast_settings(objective=objective, edge_weight=edge_weight)
        given = context(edges, n_tasks=N_TASKS)
        self.model = EnergyNetwork(NoEncoder(), given, SGNNSettings(**SMALL), 2, self.settings)
        self.factors = self.model.energies(torch.randn(BATCH, WIDTH))
        self.backbone = torch.rand(BATCH, N_TASKS) * 0.9 + 0.05
        labels = (torch.rand(BATCH, N_TASKS) < self.backbone).float()
        labels[torch.rand(labels.shape) < 0.4] = torch.nan
        keys = (seed, torch.arange(BATCH), torch.arange(N_TASKS))
        of_noise = replace(self.settings, objective="paper")
        self.data, self.noisy = label_vectors(labels, self.backbone, self.backbone, of_noise, *keys)
        self.rest = self.backbone, self.backbone, self.settings, self.model.log_z()

    def ratio(self) -> torch.Tensor:
        """G of data and of noise, [B, 2]."""
        y = torch.cat([self.data, self.noisy], 1)
        return log_ratio(*self.factors, self.model.edge_index, y, *self.rest)

    def weights(self) -> tuple[float, float]:
        """The greatest weight of a noise vector in the gradient, and the least of a vector of data."""
        data, noise = self.ratio().detach().double().unbind(1)
        return noise.sigmoid().max().item(), (-data).sigmoid().min().item()

    def gradients(self, loss: torch.Tensor) -> dict[str, torch.Tensor]:
        names, parameters = zip(*self.model.named_parameters(), strict=True)
        found = torch.autograd.grad(loss.mean(), parameters, retain_graph=True)
        return dict(zip(names, found, strict=True))

    def loss(self) -> torch.Tensor:
        return contrast(*self.factors, self.model.edge_index, self.data, self.noisy, *self.rest)


@FEW
@given(st.integers(0, 10_000))
def test_the_noise_of_eq_13_weighs_nothing_and_leaving_it_out_changes_no_bit(seed: int) -> None:
    step = Step("paper", seed)
    noise, data = step.weights()
    assert noise < 1e-15
    assert data > 1 - 1e-12
    whole = step.gradients(step.loss())
    without = step.gradients(torch.nn.functional.softplus(-step.ratio()[:, 0]))
    for name, gradient in whole.items():
        assert torch.equal(gradient, without[name]), name
    likelihood = Step("pseudo_likelihood", seed)
    for name, gradient in likelihood.gradients(likelihood.loss()).items():
        torch.testing.assert_close(gradient, whole[name], rtol=1e-4, atol=1e-6, msg=name)


@FEW
@given(st.integers(0, 10_000), st.sampled_from([0.1, 1.0]))
def test_the_noise_of_the_repaired_forms_weighs_in_the_gradient(seed: int, edge_weight: float) -> None:
    for objective in ("nce_log_z", "nce_unnormalised"):
        step = Step(objective, seed, edge_weight)
        noise = step.ratio()[:, 1].sigmoid().mean().item()
        assert noise > 0.005, objective
        whole = step.gradients(step.loss())
        without = step.gradients(torch.nn.functional.softplus(-step.ratio()[:, 0]))
        moved = sum((whole[name] - without[name]).square().sum() for name in whole).sqrt()
        assert moved > 0.005 * sum(value.square().sum() for value in without.values()).sqrt(), objective


@pytest.mark.parametrize("edge_weight", [0.1, 1.0])
def test_log_z_starts_where_even_factors_have_it(edge_weight: float) -> None:
    """Then q exp(-E) / Z is q, and neither data nor noise has the upper hand."""
    step = Step("nce_log_z", 0, edge_weight)
    even = torch.full((1, N_TASKS, 2), 0.5).log(), torch.full((1, N_EDGES, 2, 2), 0.25).log()
    some = [rows[:1] for rows in (step.data, step.backbone, step.backbone)]
    ratio = log_ratio(*even, step.model.edge_index, *some, step.settings, step.model.log_z())
    torch.testing.assert_close(ratio, torch.zeros(1, 1), rtol=0, atol=1e-3)
