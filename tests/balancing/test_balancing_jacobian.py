"""Jacobian descent: torchjd gets each task's gradient once, and costs or packages it cannot have are told."""

import importlib.util
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from relatask.balancing import jacobian
from relatask.balancing._balancing import Setting
from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities
from tests.helpers.balancing_steps import (
    TASKS,
    DeepHeads,
    SharedBottom,
    epochs_of_batches,
    network,
    step_of,
    strategy,
)
from tests.oracles import balancing as oracles

ABILITY = capabilities("balancing", "jacobian")
NEEDS = {"cagrad": "cvxpy", "nash_mtl": "ecos", "upgrad": "quadprog", "dualproj": "quadprog"}
BATCHES = epochs_of_batches(1, 4)[0]


def has(aggregator: str) -> bool:
    packages = {"torchjd", NEEDS.get(aggregator, "torchjd")}
    return all(importlib.util.find_spec(name) for name in packages)


def gradients(model: torch.nn.Module) -> list[Tensor]:
    found = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad(set_to_none=True)
    return found


@pytest.mark.parametrize("of", ["parameters", "representation"])
@pytest.mark.parametrize("kind", [SharedBottom, DeepHeads])
def test_the_mean_aggregator_gives_the_plain_gradient(of, kind):
    model = network(kind)
    balancing = strategy("jacobian", model, aggregator="mean", of=of)
    for x, labels in BATCHES:
        strategy("equal", model).backward(step_of(model, x, labels))
        plain = gradients(model)
        balancing.backward(step_of(model, x, labels))
        torch.testing.assert_close(gradients(model), plain, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("aggregator", ABILITY.choices["aggregator"])
@pytest.mark.parametrize("kind", [SharedBottom, DeepHeads])
def test_the_encoder_gets_what_torchjd_makes_of_each_tasks_gradient(aggregator, kind):
    if not has(aggregator):
        pytest.skip(f"{aggregator} needs {NEEDS.get(aggregator, 'torchjd')}, which is not installed")
    model = network(kind)
    balancing = strategy("jacobian", model, aggregator=aggregator)
    for x, labels in BATCHES:
        rows = oracles.encoder_jacobian(model, x, labels)
        torch.manual_seed(5)  # pcgrad, graddrop and random draw
        expected = jacobian.make_aggregator(aggregator, len(rows), 0.4)(rows)
        torch.manual_seed(5)
        balancing.backward(step_of(model, x, labels))
        found = torch.cat([parameter.grad.flatten() for parameter in model.encoder.parameters()])
        tolerance = 1e-3 if aggregator == "nash_mtl" else 1e-6  # a solver stops where it is good enough
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance * float(expected.norm()))
        plain = oracles.weighted_gradient(model, x, labels, [1.0] * TASKS)
        for parameter, gradient in zip(model.parameters(), plain, strict=True):
            if not any(parameter is mine for mine in model.encoder.parameters()):
                torch.testing.assert_close(parameter.grad, gradient, rtol=1e-6, atol=1e-9)
        model.zero_grad(set_to_none=True)


def test_pcgrad_of_two_opposing_gradients_is_the_papers():
    aggregator = jacobian.make_aggregator("pcgrad", 2, 0.0)
    first, second = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1.0])
    # algorithm 1: each loses its projection on the other, g1 - (g1.g2 / |g2|^2) g2 and the other way round
    expected = (first + 0.5 * second) + (second + first)
    torch.testing.assert_close(aggregator(torch.stack([first, second])), expected)
    orthogonal = torch.eye(2)
    torch.testing.assert_close(aggregator(orthogonal), orthogonal.sum(0))


@pytest.mark.parametrize("aggregator", ["upgrad", "mgda", "dualproj", "cagrad"])
def test_no_task_loses_by_a_step_along_the_combination(aggregator):
    rows = torch.tensor([[4.0, 1.0, 0.0], [-3.0, 1.0, 0.5], [0.2, -0.1, 1.0]])
    direction = jacobian.make_aggregator(aggregator, 3, 1.0)(rows)
    assert (rows @ rows.mean(0)).min() < 0, "the mean harms no task: the test shows nothing"
    assert (rows @ direction).min() > -1e-2 * float(direction.norm())


def fake(parameters: int = 1000, width: int = 8) -> SimpleNamespace:
    trunk = SimpleNamespace(width=width, parameters=lambda: [torch.zeros(parameters, requires_grad=True)])
    return SimpleNamespace(trunk=trunk)


def test_more_memory_than_the_bound_is_refused_with_the_figures():
    setting = Setting(fake(4_000_000, 300), 382, 128, 0.01)
    with pytest.raises(RelataskError) as raised:
        jacobian.build(setting, "upgrad", "parameters", 0.4, 4.0)
    assert str(raised.value) == (
        "balancing 'jacobian' would need 6.1 GB for gradients of 382 tasks by 4,000,000 shared parameters, "
        "more than its max_gigabytes 4; use `of: representation`, a narrower encoder or fewer tasks, or "
        "raise the bound."
    )
    jacobian.build(setting, "upgrad", "representation", 0.4, 4.0)
    jacobian.build(setting, "upgrad", "parameters", 0.4, 7.0)
    with pytest.raises(RelataskError, match=r"0\.1 GB .* 128 x 300 outputs of the encoder"):
        jacobian.build(setting, "upgrad", "representation", 0.4, 0.05)


def test_an_aggregator_without_its_solver_is_refused_in_one_sentence(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr("torchjd._mixins.find_spec", lambda name: None if name == "cvxpy" else find(name))
    with pytest.raises(RelataskError) as raised:
        strategy("jacobian", network(), aggregator="cagrad")
    assert str(raised.value).startswith("the aggregator 'cagrad' of balancing 'jacobian' lacks a package (")
    assert "['cvxpy']" in str(raised.value)
    assert str(raised.value).endswith("or choose pcgrad, imtl_g or mgda, which need torchjd alone.")


def test_without_torchjd_the_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchjd", None)
    with pytest.raises(RelataskError, match=r"'mgda' of balancing 'jacobian' lacks a package \(.*torchjd"):
        strategy("jacobian", network(), aggregator="mgda")


@pytest.mark.parametrize("of", ["parameters", "representation"])
def test_gradients_that_no_solver_can_combine_are_told_in_one_sentence(of, monkeypatch):
    def fail(rows: Tensor) -> Tensor:
        raise ValueError("Failed to solve the\n quadratic problem.")

    model = network()
    balancing = strategy("jacobian", model, of=of)
    monkeypatch.setattr(jacobian, "make_aggregator", lambda *arguments: Failing(fail))
    with pytest.raises(
        RelataskError, match=r"'upgrad' found no combination .*\(Failed to solve the quadratic "
    ):
        balancing.backward(step_of(model, *BATCHES[0]))


class Failing(torch.nn.Module):
    """An aggregator that calls a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]):
        super().__init__()
        self.forward = function


def test_the_aggregators_are_those_of_torchjd():
    from torchjd import aggregation

    assert tuple(jacobian.CLASSES) == ABILITY.choices["aggregator"]
    assert all(hasattr(aggregation, name) for name in jacobian.CLASSES.values())
