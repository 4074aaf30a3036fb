"""Operations whose derivatives are written out, against finite differences, twice."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from relatask.inputs.adjacency import Adjacency
from relatask.nn.neighbour_sum import weighted_sum
from relatask.nn.unit_rows import UnitRows

N, WIDTH = 6, 4
EDGES = [(0, 1), (1, 2), (0, 2), (3, 4)]  # 5 has none


def values(*shape: int, seed: int = 0) -> Tensor:
    """Numbers away from 0, where ReLU has no derivative."""
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (drawn + 0.1 * drawn.sign()).requires_grad_()


def propagation(dtype: torch.dtype = torch.float64) -> Adjacency:
    pairs = sorted((a, b) for i, j in EDGES for a, b in ((j, i), (i, j)))  # by receiver
    receiver, source = torch.tensor(pairs).T
    return Adjacency.with_loops(source, receiver, N, dtype)


@pytest.mark.parametrize("adds", [True, False])
def test_unit_rows_have_the_derivatives_of_finite_differences(adds: bool) -> None:
    def rows(z: Tensor, *h: Tensor) -> Tensor:
        found: Tensor = UnitRows.apply(z, *(h or (None,)))
        return found

    inputs = (values(N, WIDTH), values(N, WIDTH, seed=1)) if adds else (values(N, WIDTH),)
    assert gradcheck(rows, inputs)
    assert gradgradcheck(rows, inputs)


def test_unit_rows_have_the_values_and_derivatives_of_plain_operations() -> None:
    z, h, g, v = (values(N, WIDTH, seed=seed) for seed in range(4))

    def all_of(found: Tensor) -> list[Tensor]:
        first = torch.autograd.grad((found * g).sum(), (z, h), create_graph=True)
        total = sum((own * v).sum() for own in first)
        assert isinstance(total, Tensor)
        return [found, *first, *torch.autograd.grad(total, (z, h, g))]

    plain = torch.nn.functional.normalize(z.relu() + h)
    for own, right in zip(all_of(UnitRows.apply(z, h)), all_of(plain), strict=True):
        torch.testing.assert_close(own, right)


def test_rows_of_zeros_stay_and_have_finite_derivatives() -> None:
    z = (-torch.ones(2, WIDTH, dtype=torch.float64)).requires_grad_()
    found = UnitRows.apply(z, None)
    assert not found.any()
    (first,) = torch.autograd.grad(found.sum(), z, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), z)
    assert not first.any()
    assert second.isfinite().all()


def test_sums_over_neighbours_have_the_derivatives_of_finite_differences() -> None:
    graph = propagation()

    def squares(states: Tensor) -> Tensor:  # a linear map alone has no second derivative
        return weighted_sum(states.square(), graph)

    assert gradcheck(squares, (values(N, WIDTH),))
    assert gradgradcheck(squares, (values(N, WIDTH),))


def test_propagation_is_the_normalised_adjacency() -> None:
    adjacency = torch.eye(N, dtype=torch.float64)
    for i, j in EDGES:
        adjacency[i, j] = adjacency[j, i] = 1
    scale = torch.diag(adjacency.sum(1) ** -0.5)
    states = values(N, WIDTH)
    torch.testing.assert_close(weighted_sum(states, propagation()), scale @ adjacency @ scale @ states)
    alone = Adjacency.with_loops(torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64), N)
    torch.testing.assert_close(weighted_sum(states, alone), states)
    assert weighted_sum(states.bfloat16(), propagation(torch.float32)).dtype == torch.bfloat16
