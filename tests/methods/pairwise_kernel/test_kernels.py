"""Kernels of molecules and of tasks, and the solution on labelled cells alone."""

import numpy as np
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.methods.pairwise_kernel import conjugate_gradients, task_kernels
from relatask.methods.pairwise_kernel.conjugate_gradients import solve
from relatask.methods.pairwise_kernel.tanimoto import packed, tanimoto, unpacked
from tests.helpers.prepared_dataset import random_labels
from tests.oracles import pairwise_kernel as oracle


def random_bits(n: int, seed: int = 0, share: float = 0.3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random((n, 24)) < share).float()


def test_similarity_is_the_share_of_common_bits_also_over_several_blocks_of_rows(monkeypatch):
    asked, known = random_bits(7), random_bits(5, seed=1)
    asked[3], known[2] = 0, 0
    sets = [[set(row.nonzero()[:, 0].tolist()) for row in bits] for bits in (asked, known)]
    expected = [[oracle.tanimoto(one, other) for other in sets[1]] for one in sets[0]]
    assert expected[3][2] == 0
    for rows in (1024, 3):
        monkeypatch.setattr("relatask.methods.pairwise_kernel.tanimoto.ROWS", rows)
        np.testing.assert_allclose(tanimoto(asked, known), expected, rtol=1e-15)


def test_bits_are_packed_as_by_numpy():
    bits = random_bits(9)
    assert np.array_equal(packed(bits), np.packbits(bits.numpy().astype(np.uint8), axis=1))
    assert torch.equal(unpacked(packed(bits)), bits)


def test_a_correlation_over_m_items_is_shrunk_and_one_that_is_undefined_is_0():
    labels = random_labels(40, 5)
    labels[:, 3] = np.where(np.isnan(labels[:, 3]), np.nan, 1.0)  # does not vary
    labels[:20, 0], labels[18:, 4] = np.nan, np.nan  # nothing in common
    found = task_kernels.correlation(torch.from_numpy(labels).double())
    right = np.eye(5)
    for one in range(5):
        for other in range(one):
            both = labels[~np.isnan(labels[:, [one, other]]).any(1)][:, [one, other]].astype(float)
            if len(both) > 2 and both.std(0).min() > 0:
                shrunk = np.corrcoef(both.T)[0, 1] * len(both) / (len(both) + task_kernels.SHRINKING)
                right[one, other] = right[other, one] = shrunk
    assert np.linalg.eigvalsh(right).min() > 0  # so nothing is taken away
    np.testing.assert_allclose(found, right, atol=1e-12)
    assert (right[3, :3] == 0).all()
    assert right[0, 4] == 0 != right[0, 1]


def test_a_table_of_correlations_that_no_labels_could_have_becomes_a_kernel():
    """One agrees with two that disagree with each other: such a table has a negative eigenvalue."""
    labels = torch.full((300, 3), torch.nan).double()
    rng = np.random.default_rng(0)
    for part, (one, other, sign) in enumerate(((0, 1, 1), (1, 2, 1), (0, 2, -1))):
        values = torch.from_numpy(rng.normal(size=100))
        labels[100 * part : 100 * (part + 1), one] = values
        labels[100 * part : 100 * (part + 1), other] = sign * values
    raw = np.ones((3, 3))
    raw[0, 2] = raw[2, 0] = -1
    assert np.linalg.eigvalsh(raw).min() < -0.9
    found = task_kernels.correlation(labels)
    assert torch.linalg.eigvalsh(found).min() > -1e-12
    torch.testing.assert_close(found.diagonal(), torch.ones(3).double())
    assert found[0, 1] > 0.4
    assert found[0, 2] < -0.4


def test_few_common_labels_say_little_and_none_nothing():
    labels = torch.tensor([[0.0, 0, 1], [1, 1, torch.nan], [0, 0, torch.nan], [1, 1, torch.nan]]).double()
    found = task_kernels.correlation(labels)
    assert found[0, 1] == pytest.approx(4 / (4 + task_kernels.SHRINKING))
    assert found[0, 2] == found[1, 2] == 0


def test_shares_sum_to_one_and_hold_each_kernel_alone():
    assert all(sum(shares) == pytest.approx(1) for shares in task_kernels.SHARES)
    assert len(set(task_kernels.SHARES)) == 7
    assert {(1, 0, 0), (0, 1, 0), (0, 0, 1)} <= set(task_kernels.SHARES)


@pytest.mark.parametrize("seed", range(3))
def test_the_solution_is_that_of_the_matrix_over_all_labelled_cells(seed):
    labels = torch.from_numpy(random_labels(12, 4, seed)).double()
    known = ~labels.isnan()
    bits = random_bits(12, seed)
    items, tasks = tanimoto(bits, bits), task_kernels.kernels(labels).mean(0)
    cells = known.flatten()
    matrix = torch.kron(items, tasks)[cells][:, cells] + 0.3 * torch.eye(int(cells.sum())).double()
    expected = torch.linalg.solve(matrix, labels[known])
    table = labels.nan_to_num(0.0)
    cold = solve(items, tasks, table, known.double(), 0.3, 1e-10)
    near = solve(items, tasks, table, known.double(), 1.0, 1e-2)
    warm = solve(items, tasks, table, known.double(), 0.3, 1e-10, near)
    for found in (cold, warm):
        torch.testing.assert_close(found[known], expected, rtol=0, atol=1e-8)
        assert (found[~known] == 0).all()
    assert (near[known] - expected).abs().max() > 0.01


def test_labels_that_do_not_vary_have_the_solution_zero_and_no_division_by_it():
    items, zero = torch.eye(3).double(), torch.zeros(3, 2).double()
    assert torch.equal(solve(items, torch.eye(2).double(), zero, torch.ones_like(zero), 1.0, 1e-8), zero)


def test_a_solution_that_is_not_reached_is_an_error(monkeypatch):
    monkeypatch.setattr(conjugate_gradients, "MOST", 3)
    labels, bits = torch.randn(20, 2, generator=torch.Generator().manual_seed(0)).double(), random_bits(20)
    with pytest.raises(RelataskError, match="3 conjugate gradients do not fit the labels; take a larger"):
        solve(tanimoto(bits, bits), torch.eye(2).double(), labels, torch.ones_like(labels), 1e-3, 1e-10)
