"""Draws that depend on seed and keys alone."""

import pytest
import torch
from scipy import stats

from relatask.nn.draws import _mixed, uniforms

GOLDEN = -0x61C8864680B583EB


def test_bits_are_those_of_splitmix64():
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    bits = _mixed(1234567 + GOLDEN * torch.arange(1, 5))
    assert [value % 2**64 for value in bits.tolist()] == published


def test_a_draw_does_not_depend_on_what_is_drawn_beside_it():
    molecules, tasks = torch.tensor([[7], [10**9], [-3]]), torch.tensor([5, 2**40, 11, 12])
    together = uniforms(42, 1, molecules, tasks)
    assert together.shape == (3, 4)
    assert together.dtype == torch.float32
    for row, molecule in enumerate(molecules.flatten().tolist()):
        for column, task in enumerate(tasks.tolist()):
            alone = uniforms(42, 1, torch.tensor([molecule]), torch.tensor([task]))
            assert alone.item() == together[row, column].item()
    assert not torch.equal(together, uniforms(43, 1, molecules, tasks))
    assert not torch.equal(together, uniforms(42, 2, molecules, tasks))


def test_draws_are_uniform_and_neighbouring_keys_are_independent():
    draws = uniforms(0, torch.arange(400)[:, None], torch.arange(500))
    assert draws.min() >= 0
    assert draws.max() < 1
    assert stats.kstest(draws.flatten().numpy(), "uniform").pvalue > 0.01
    for first, second in [(draws[1:], draws[:-1]), (draws[:, 1:], draws[:, :-1])]:
        pairs = torch.stack([first.flatten(), second.flatten()])
        cells = torch.histogramdd(pairs.t(), bins=[8, 8], range=[0.0, 1.0, 0.0, 1.0]).hist
        assert stats.chisquare(cells.flatten().numpy()).pvalue > 0.01


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_any_63_bit_seed_works(seed):
    assert uniforms(seed, torch.arange(1000)).mean().item() == pytest.approx(0.5, abs=0.05)
