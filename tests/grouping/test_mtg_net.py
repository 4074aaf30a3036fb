"""MTG-Net against loops over tasks, and what must hold of it."""

import numpy as np
import pytest
import torch

from relatask.grouping.mtg_net import MTGNet, MTGNetModel, MTGNetSettings
from tests.oracles.mtg_net import gains_of_set

SMALL = MTGNetSettings(width=8, layers=2, epochs=30)
SETS = np.array([[1, 1, 0, 0, 1], [0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 1, 0]], bool)


def _network(with_pairs: bool, n_tasks: int = 5) -> MTGNet:
    torch.manual_seed(0)
    pairs = torch.randn(n_tasks, n_tasks, 3) if with_pairs else None
    return MTGNet(n_tasks, SMALL, pairs).double()


@pytest.mark.parametrize("with_pairs", [False, True])
def test_outputs_and_gradients_are_those_of_the_loops(with_pairs: bool) -> None:
    network = _network(with_pairs)
    weights = torch.randn(SETS.shape, dtype=torch.float64)
    fast = network(torch.from_numpy(SETS))
    loss = (fast * weights)[torch.from_numpy(SETS)].sum()
    gradients = torch.autograd.grad(loss, list(network.parameters()), allow_unused=True)
    slow_loss = torch.zeros((), dtype=torch.float64)
    for row, chosen in enumerate(SETS):
        for task, gain in gains_of_set(
            network, list(np.flatnonzero(chosen)), SMALL.temperature, network.pairs
        ).items():
            assert fast[row, task].item() == pytest.approx(gain.item(), abs=1e-10)
            slow_loss = slow_loss + gain * weights[row, task]
    expected = torch.autograd.grad(slow_loss, list(network.parameters()), allow_unused=True)
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-8)


def test_the_order_of_tasks_permutes_the_gains() -> None:
    network, order = _network(True), torch.tensor([3, 0, 4, 1, 2])
    member = torch.from_numpy(SETS)
    before = network(member)
    with torch.no_grad():
        network.embedding.copy_(network.embedding[order].clone())
        network.pairs.copy_(network.pairs[order][:, order].clone())
    torch.testing.assert_close(network(member[:, order]), before[:, order])


def test_tasks_outside_a_set_do_not_reach_those_inside() -> None:
    network, member = _network(False), torch.from_numpy(SETS[:1])
    before = network(member)
    with torch.no_grad():
        network.embedding[2] += 100.0
    after = network(member)
    torch.testing.assert_close(after[:, SETS[0]], before[:, SETS[0]])


def test_the_same_seed_learns_the_same_and_another_does_not() -> None:
    gains = np.where(SETS, np.random.default_rng(0).normal(0, 0.1, SETS.shape), np.nan)
    found = []
    for seed in (1, 1, 2):
        model = MTGNetModel(5, SMALL, seed)
        model.fit(SETS, gains)
        found.append(model.predict(SETS))
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2], equal_nan=True)
    assert (np.isnan(found[0]) == ~SETS).all()


def test_it_learns_gains_by_heart() -> None:
    gains = np.where(SETS, np.random.default_rng(0).normal(0, 0.1, SETS.shape), np.nan)
    model = MTGNetModel(5, MTGNetSettings(epochs=500), 0)
    start = np.nanmean(np.abs(model.predict(SETS) - gains))
    model.fit(SETS, gains)
    assert np.nanmean(np.abs(model.predict(SETS) - gains)) < 0.005 < start


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    """A huge step ruins the network at once; the best epoch is then the first."""
    gains = np.where(SETS, 0.1, np.nan)
    model = MTGNetModel(5, MTGNetSettings(learning_rate=1e4, patience=3), 0)
    before = model.predict(SETS)
    assert model.fit(SETS, gains) == 4
    np.testing.assert_array_equal(model.predict(SETS), before)


def test_encodings_are_what_the_head_reads() -> None:
    model = MTGNetModel(5, SMALL, 0)
    encoded = torch.from_numpy(model.encode(SETS))
    assert encoded.shape == (4, 5, 8)
    head = model.network.head
    expected = (encoded @ head.weight[0] + head.bias).detach().numpy()
    np.testing.assert_allclose(np.where(SETS, expected, np.nan), model.predict(SETS), rtol=1e-5, atol=1e-6)
