"""The transfer block of L2T-MITTEN against the paper's equations, and what it needs."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from relatask.methods.mitten import mixture
from relatask.methods.mitten.transfer import Transfer
from relatask.nn.contract import TaskContext
from tests.oracles import mitten as oracle

N, T, WIDTH = 5, 4, 3
MAPS = ("source", "target", "query", "key", "value", "mix", "source_bias", "target_bias")


def seed(task: str, purpose: str = "head") -> int:
    return 1000 * sum(map(ord, purpose)) + sum(map(ord, task))


def context(tasks: Sequence[str]) -> TaskContext:
    graph = torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0)
    return TaskContext([*tasks], *graph, seed)


def made(axis: str = "source", own: bool = True, tasks: str = "abcd") -> Transfer:
    """A block whose general dependency is not the uniform one that it starts from."""
    block = Transfer(WIDTH, context(tasks), 2.0, axis, own).double()
    torch.manual_seed(0)
    with torch.no_grad():
        block.dependency.copy_(torch.randn(len(tasks), len(tasks)))
    return block


@pytest.fixture
def states() -> Tensor:
    torch.manual_seed(1)
    return torch.randn(N, T, WIDTH, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("axis", ["source", "target"])
@pytest.mark.parametrize("at_a_time", [1, 100])
def test_values_and_gradients_are_those_of_the_equations(
    states: Tensor, axis: str, own: bool, at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixture, "NUMBERS", 1)
    monkeypatch.setattr(mixture, "LEAST", at_a_time)
    block = made(axis, own)
    maps = {name: getattr(block, name) for name in MAPS}
    right, chances = oracle.mixed(states, maps, block.dependency, 2.0, axis, own)
    found = block(states)
    torch.testing.assert_close(found, right, rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(block.attention(states), chances, rtol=1e-5, atol=1e-8)
    wanted = [states, *block.parameters()]
    goal = torch.randn_like(found)
    ours = torch.autograd.grad((found * goal).sum(), wanted)
    theirs = torch.autograd.grad((right * goal).sum(), wanted)
    for own_gradient, gradient in zip(ours, theirs, strict=True):
        assert gradient.abs().max() > 1e-6
        torch.testing.assert_close(own_gradient, gradient, rtol=1e-5, atol=1e-8)


def test_what_a_task_takes_sums_to_one_and_can_leave_itself_out(states: Tensor) -> None:
    with_own, without = made(own=True).attention(states), made(own=False).attention(states)
    torch.testing.assert_close(with_own.sum(1), torch.ones(N, T, dtype=torch.float64))
    torch.testing.assert_close(without.sum(1), torch.ones(N, T, dtype=torch.float64))
    assert (without.diagonal(dim1=1, dim2=2) == 0).all()
    assert (with_own > 0).all()


def test_the_general_dependency_sums_to_one_over_the_axis_that_is_named() -> None:
    ones = torch.ones(T, dtype=torch.float64)
    torch.testing.assert_close(made("source").general().sum(0), ones)
    torch.testing.assert_close(made("target").general().sum(1), ones)
    assert not torch.allclose(made("source").general().sum(1), ones)
    assert (made(own=False).general().diagonal() == 0).all()


def test_a_task_alone_takes_from_itself(states: Tensor) -> None:
    block = made(own=False, tasks="a")
    assert (block.attention(states[:, :1]) == 1).all()


def test_real_sizes_have_finite_gradients_of_a_useful_size() -> None:
    """27 tasks, 32 numbers, 500 positions in fp32: no map starves, none explodes."""
    block = Transfer(32, context([f"task{number}" for number in range(27)]), 10.0, "source", True)
    torch.manual_seed(0)
    states = torch.randn(500, 27, 32).relu()
    found = block(states)
    assert 0.05 < float(found.detach().std()) < 5
    found.square().mean().backward()
    for name, parameter in block.named_parameters():
        assert parameter.grad is not None
        size = float(parameter.grad.norm() / (parameter.norm() + 1e-9 if name != "dependency" else 1.0))
        assert 1e-7 < size < 10, name
