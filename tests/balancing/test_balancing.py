"""Balancing: the fast code is the papers' equations, task by task, over epochs with missing labels."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from relatask.balancing._balancing import Step, Weighted
from relatask.balancing._gradients import readout_norms, representation_gradients, shared_norms
from relatask.balancing._task_adam import TaskAdam
from relatask.core.registry import capabilities, catalogue
from tests.helpers.balancing_steps import (
    TASKS,
    DeepHeads,
    SharedBottom,
    drive,
    epochs_of_batches,
    network,
    step_of,
    strategy,
    whole_losses,
)
from tests.oracles import balancing as oracles

RATE = 0.02  # of the network, which the learned variances take over
ORACLES = {
    ("equal", ""): lambda: None,
    ("uncertainty", "paper"): lambda: oracles.Uncertainty(TASKS, RATE),
    ("uncertainty", "released"): lambda: oracles.Uncertainty(TASKS, RATE, released=True),
    ("gradnorm", "paper"): lambda: oracles.GradNorm(TASKS, 0.7, 0.05),
    ("gradnorm", "released"): lambda: oracles.GradNorm(TASKS, 0.7, RATE, released=True),
    ("dwa", "paper"): lambda: oracles.DynamicWeightAverage(TASKS, 0.2),
    ("dwa", "released"): lambda: oracles.DynamicWeightAverage(TASKS, 0.2, released=True),
    ("lbtw", "paper"): lambda: oracles.LossBalancedTaskWeighting(TASKS, 0.5),
    ("lbtw", "released"): lambda: oracles.LossBalancedTaskWeighting(TASKS, 0.5),
}
OPTIONS = {
    "gradnorm": {"alpha": 0.7, "learning_rate": 0.05},
    "dwa": {"temperature": 0.2},
    "lbtw": {"alpha": 0.5},
}
WEIGHTED = [name for name in catalogue("balancing") if name not in {"equal", "jacobian"}]


@pytest.mark.parametrize(("name", "form"), ORACLES)
@pytest.mark.parametrize("kind", [SharedBottom, DeepHeads])
def test_weights_and_gradients_are_the_papers_over_epochs_with_missing_labels(name, form, kind):
    if name == "gradnorm" and form == "released" and kind is DeepHeads:
        pytest.skip("refused: there is no row of its own for each task")
    model, options = network(kind), OPTIONS.get(name, {}) | ({"form": form} if form else {})
    balancing, oracle = strategy(name, model, rate=RATE, **options), ORACLES[name, form]()
    epochs = epochs_of_batches(5, 4)
    used: list[list[float]] = []

    def watch(x: Tensor, labels: Tensor) -> None:
        if len(used) % 4 == 0 and form == "released" and hasattr(oracle, "start_epoch"):
            oracle.start_epoch(whole_losses(model, epochs[len(used) // 4]).tolist())
        weights = oracle.weights(model, x, labels) if oracle else [1.0] * TASKS
        used.append(weights)
        expected = oracles.weighted_gradient(model, x, labels, weights)
        found = [parameter.grad for parameter in model.parameters()]
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)
        if len(used) % 4 == 0 and oracle:
            oracle.end_epoch()

    drive(balancing, model, epochs, watch)
    assert len(used) == 20
    spread = max(max(weights) - min(weights) for weights in used)
    assert (spread > 0.05) == (name != "equal"), "the weights hardly differ: the test shows nothing"


@pytest.mark.parametrize("kind", [SharedBottom, DeepHeads])
def test_gradient_norms_are_those_of_one_backward_pass_for_each_task(kind):
    model, oracle = network(kind), oracles.GradNorm(TASKS, 0.5, 0.1)
    for x, labels in epochs_of_batches(1, 5)[0]:
        step = step_of(model, x, labels)
        oracle.weights(model, x, labels)
        found = {task: float(norm) for task, norm in enumerate(shared_norms(step)) if step.present[task]}
        assert found == pytest.approx(oracle.norms, rel=1e-6)
        assert all(shared_norms(step)[~step.present] == 0)


def test_gradients_with_respect_to_the_representation_are_autograds():
    model = network()
    (x, labels), *_ = epochs_of_batches(1, 1)[0]
    step = step_of(model, x, labels)
    tasks = step.present.nonzero().flatten()
    fast = representation_gradients(step, tasks)
    slow = [torch.autograd.grad(step.losses[i], step.representation, retain_graph=True)[0] for i in tasks]
    torch.testing.assert_close(fast, torch.stack(slow), rtol=1e-9, atol=1e-12)
    rows = [torch.autograd.grad(step.losses[i], model.heads.weight, retain_graph=True)[0][i] for i in tasks]
    torch.testing.assert_close(readout_norms(step)[tasks], torch.stack(rows).norm(dim=1))


def test_gradient_norms_take_no_backward_pass_for_each_task(monkeypatch):
    calls = []
    grad = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: calls.append(1) or grad(*a, **k))
    for n_tasks in (3, 300):
        x, labels = torch.randn(5, 5).double(), torch.ones(5, n_tasks).double()
        shared_norms(step_of(network(n_tasks=n_tasks), x, labels))
        assert len(calls) == 1, n_tasks
        calls.clear()


def test_adam_of_each_task_is_torchs_where_all_are_present():
    mine, theirs = torch.ones(3).double(), nn.Parameter(torch.ones(3).double())
    adam, reference = TaskAdam(3).double(), torch.optim.Adam([theirs], lr=0.1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(6):
        theirs.grad = torch.randn(3, generator=generator).double()
        adam.step(mine, theirs.grad, torch.ones(3, dtype=torch.bool), 0.1)
        reference.step()
    torch.testing.assert_close(mine, theirs.detach(), rtol=1e-12, atol=0)


def losses_step(model: nn.Module, values: list[float]) -> Step:
    """A step whose losses are given; NaN stands for a task without a label."""
    losses = torch.tensor(values, dtype=torch.float64)
    present = ~losses.isnan()
    losses = losses.nan_to_num(0.0).requires_grad_()
    return Step(losses, present, losses, losses.sum() / present.sum(), None, model)


@pytest.mark.parametrize("name", WEIGHTED)
def test_a_task_without_a_label_keeps_its_weight_and_gets_no_gradient(name):
    model, n_absent = network(), 0
    balancing = strategy(name, model, rate=RATE, **OPTIONS.get(name, {}))
    assert isinstance(balancing, Weighted)
    epochs = epochs_of_batches(4, 6, seed=1)
    remembered = {key: value.clone() for key, value in balancing.state_dict().items()}

    def watch(x: Tensor, labels: Tensor) -> None:
        nonlocal n_absent, remembered
        absent = labels.isnan().all(0)
        n_absent += int(absent.sum())
        assert all((model.heads.weight.grad[absent] == 0).flatten())
        for key, value in balancing.state_dict().items():
            before = remembered[key]
            if value.shape[-1:] == (TASKS,):
                torch.testing.assert_close(
                    value[..., absent], before[..., absent], rtol=0, atol=0, equal_nan=True
                )
        remembered = {key: value.clone() for key, value in balancing.state_dict().items()}

    for epoch in epochs:
        drive(balancing, model, [epoch], watch)
        remembered = {key: value.clone() for key, value in balancing.state_dict().items()}
    assert n_absent > 10


@given(st.data())
@settings(max_examples=30)
def test_the_order_of_tasks_permutes_weights(data):
    name = data.draw(st.sampled_from([name for name in WEIGHTED if name != "gradnorm"]))
    order = data.draw(st.permutations(range(4)))
    loss = st.floats(0.01, 3.0) | st.just(math.nan)
    rows = data.draw(st.lists(st.lists(loss, min_size=4, max_size=4), min_size=2, max_size=6))
    rows = [row if not all(map(math.isnan, row)) else [1.0, *row[1:]] for row in rows]
    model = network()
    one, other = (strategy(name, model, rate=0.1) for _ in range(2))
    for number, row in enumerate(rows):
        first = one.weights(losses_step(model, row))
        second = other.weights(losses_step(model, [row[task] for task in order]))
        torch.testing.assert_close(second, first[list(order)], rtol=1e-9, atol=1e-12)
        if number % 2:
            one.end_epoch()
            other.end_epoch()


def test_uncertainty_settles_at_half_the_inverse_loss_so_noisy_tasks_weigh_less():
    model = network()
    balancing = strategy("uncertainty", model, rate=0.02)
    for _ in range(800):
        weights = balancing.weights(losses_step(model, [0.1, 0.3, 0.6, 1.2]))
    assert weights.tolist() == pytest.approx([1 / (2 * loss) for loss in (0.1, 0.3, 0.6, 1.2)], rel=1e-3)


def test_uncertainty_lowers_the_weight_of_a_task_whose_labels_are_noise():
    model = network(n_tasks=2)
    balancing = strategy("uncertainty", model, n_tasks=2, rate=0.02)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 5, generator=generator).double()
    labels = torch.stack([x[:, 0] > 0, torch.rand(64, generator=generator) < 0.5], 1).double()
    drive(balancing, model, [[(x, labels)]] * 200, lambda x, labels: None)
    clean, noisy = (-balancing.log_variance).exp().tolist()
    assert clean > 1.5 * noisy


def test_gradnorm_equalises_the_gradients_of_two_tasks_of_different_scale():
    model = network(n_tasks=2)
    with torch.no_grad():
        model.heads.weight[1] *= 10  # the second task pulls ten times as hard
    balancing = strategy("gradnorm", model, n_tasks=2, alpha=0.0, learning_rate=0.01)
    x = torch.randn(32, 5, generator=torch.Generator().manual_seed(0)).double()
    labels = torch.stack([x[:, 0] > 0, x[:, 1] > 0], 1).double()
    step = step_of(model, x, labels)
    ratios = []
    for _ in range(300):
        weights = balancing.weights(step)
        first, second = (weights * shared_norms(step)).tolist()
        ratios.append(second / first)
        assert float(weights.sum()) == pytest.approx(2)
    assert ratios[0] > 4
    assert ratios[-1] == pytest.approx(1, abs=0.1)


def test_gradnorm_gives_more_to_the_task_that_learns_slower():
    model = network(n_tasks=2)
    balancing = strategy("gradnorm", model, n_tasks=2, alpha=1.0, learning_rate=0.01)
    x = torch.randn(64, 5, generator=torch.Generator().manual_seed(0)).double()
    noise = torch.rand(64, generator=torch.Generator().manual_seed(1)) < 0.5
    labels = torch.stack([x[:, 0] > 0, noise], 1).double()
    drive(balancing, model, [[(x, labels)]] * 80, lambda x, labels: None)
    fast, slow = balancing.weight.tolist()
    assert slow > 1.5 * fast


@given(
    st.lists(
        st.lists(st.floats(1e-6, 50) | st.just(math.nan), min_size=4, max_size=4), min_size=3, max_size=8
    )
)
@settings(max_examples=40)
def test_weights_of_dwa_sum_to_the_number_of_tasks(rows):
    model = network()
    balancing = strategy("dwa", model)
    for row in rows:
        if all(map(math.isnan, row)):
            row = [1.0, *row[1:]]
        weights = balancing.weights(losses_step(model, row))
        balancing.end_epoch()
        assert float(weights.sum()) == pytest.approx(4)
        assert weights.isfinite().all()


def test_dwa_weighs_by_the_fall_of_the_last_two_epochs():
    model = network()
    balancing = strategy("dwa", model, temperature=2.0)
    for values in ([1.0, 1.0, 1.0, math.nan], [0.5, 1.0, 2.0, math.nan]):
        assert balancing.weights(losses_step(model, values)).tolist() == [1, 1, 1, 1]
        balancing.end_epoch()
    exponentials = [math.exp(ratio / 2) for ratio in (0.5, 1.0, 2.0, 1.0)]  # one task never has a label
    expected = [4 * value / sum(exponentials) for value in exponentials]
    assert balancing.weights(losses_step(model, [1.0] * 4)).tolist() == pytest.approx(expected)


def test_lbtw_weighs_by_the_ratio_to_the_first_loss_of_the_epoch():
    model = network()
    balancing = strategy("lbtw", model, alpha=0.5)
    weigh = [
        balancing.weights(losses_step(model, values)).tolist()
        for values in ([1.0, 0.5, 2.0, math.nan], [0.25, 0.5, 4.0, 0.8], [0.04, 0.5, 8.0, 0.2])
    ]
    assert weigh[0] == [1, 1, 1, 1]
    assert weigh[1] == pytest.approx([0.5, 1, math.sqrt(2), 1])
    assert weigh[2] == pytest.approx([0.2, 1, 2, 0.5])
    balancing.end_epoch()
    assert balancing.weights(losses_step(model, [0.3] * 4)).tolist() == [1, 1, 1, 1]


def test_every_strategy_says_what_it_is():
    for name in catalogue("balancing"):
        ability = capabilities("balancing", name)
        assert ability.summary
        assert ability.cost_in_tasks.startswith("O(")
        assert set(ability.choices) <= set(ability.options)
        assert all(ability.options[key] in values for key, values in ability.choices.items())
