"""Runs under each balancing: reproducible, resumable to the same bytes, and blind to what is held out."""

import importlib.util
import io
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relatask.core.registry import capabilities, catalogue, loop_of
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.loops.supervised import Training
from relatask.engine.network import build_model
from relatask.engine.problem import Problem, problems_of
from relatask.engine.run import RunResult, inputs_of, train_run
from relatask.plan.spec import RunSpec
from tests.helpers.changed_data import disguise, flipped, scores, trace, with_labels
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

VARIANTS = {
    **{name: {} for name in catalogue("balancing")},
    "uncertainty released": {"form": "released"},
    "gradnorm released": {"form": "released"},
    "dwa released": {"form": "released"},
    "lbtw released": {"form": "released"},
    "jacobian representation": {"of": "representation", "aggregator": "pcgrad"},  # which draws
}
JOINT = [
    name
    for name, ability in catalogue("methods").items()
    if ability.uses_encoder and not ability.per_task and loop_of(name).balances
]
BALANCED = pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "equal"])
Load = Callable[[RunSpec], PreparedDataset]


def spec_of(variant: str, encoder: str = "fingerprint_mlp", **changes) -> RunSpec:
    name = variant.split()[0]
    if name == "jacobian" and not importlib.util.find_spec("torchjd"):
        pytest.skip("torchjd is not installed")
    spec = make_spec(encoder=encoder, balancing=name, **changes)
    return replace(spec, balancing=spec.balancing.with_options(**VARIANTS[variant]))


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    labels = random_labels(60, 4)
    labels[labels[:, :3].any(1) | ~np.isnan(labels[:, :3]).all(1), 3] = np.nan
    labels[7, 3], labels[8, 3] = 0, 1  # a task that most batches do not have
    folder = write_dataset(tmp_path_factory.mktemp("small"), labels)
    return lambda spec: PreparedDataset.load(folder, "scaffold-0", inputs=inputs_of(spec))


@pytest.fixture
def run(tmp_path: Path) -> Callable[[RunSpec, PreparedDataset], RunResult]:
    return lambda spec, data: train_run(
        spec, data, Checkpoint(tmp_path / "none.pt", ""), lambda share, text: None, keep_weights=True
    )


@BALANCED
@pytest.mark.parametrize("encoder", ["fingerprint_mlp", "gin"])
def test_a_balanced_run_repeats_itself_and_differs_from_the_plain_one(variant, encoder, load, run):
    epochs = {"training": {"epochs": 5}}
    spec = spec_of(variant, encoder, **epochs)
    plain = run(make_spec(encoder=encoder, **epochs), load(spec))
    first, second = run(spec, load(spec)), run(spec, load(spec))
    assert first.predictions.equals(second.predictions)
    assert tensor_bytes(first.weights) == tensor_bytes(second.weights)
    assert trace(first)["train_loss"].iloc[-1] != trace(plain)["train_loss"].iloc[-1]
    assert np.isfinite(first.predictions["score"]).all()
    assert set(first.weights) == set(plain.weights)  # any of them can be the prior of another run


@BALANCED
def test_a_balanced_run_is_blind_to_labels_and_molecules_held_out(variant, load, run):
    spec = spec_of(variant)
    plain = load(spec)
    first = run(spec, plain)
    relabelled = run(spec, with_labels(plain, "test", flipped))
    assert scores(first).equals(scores(relabelled))
    assert trace(first).equals(trace(relabelled))
    disguised = run(spec, disguise(plain, "test"))
    assert trace(first).equals(trace(disguised))
    assert tensor_bytes(first.weights) == tensor_bytes(disguised.weights)
    validation = run(spec, with_labels(plain, "valid", flipped))
    assert first.history["train_loss"].equals(validation.history["train_loss"])


@BALANCED
def test_going_on_after_any_step_gives_the_same_bytes(variant, load):
    spec = spec_of(variant)
    problem = problems_of(spec, load(spec), per_task=False)[0]
    states: list[bytes] = []
    training = Training(problem)
    while not training.is_over():
        training.run_epoch(lambda: states.append(tensor_bytes(training.state())))
    assert len(states) >= 9
    for state in states[::2]:
        torch.manual_seed(99)  # whatever the new process drew before
        resumed = resume(problem, state)
        assert tensor_bytes(resumed.selections[0].weights) == tensor_bytes(training.selections[0].weights)
        assert tensor_bytes(resumed.balancing.state_dict()) == tensor_bytes(training.balancing.state_dict())


def test_the_released_forms_are_told_the_losses_of_training_in_evaluation_at_each_epochs_start(load):
    spec = spec_of("lbtw released", "gin")
    problem = problems_of(spec, load(spec), per_task=False)[0]
    training, told = Training(problem), []
    training.balancing.start_epoch = told.append
    rows, labels = problem.rows("train"), problem.labels(problem.rows("train"))
    for epoch in range(2):
        expected = training.model.losses(training.predict(rows), labels)
        training.run_epoch(lambda: None)
        torch.testing.assert_close(told[epoch], expected)
    assert len(told) == 2


def test_the_released_uncertainty_slows_the_network_down(load):
    spec = spec_of("uncertainty released")
    problem = problems_of(spec, load(spec), per_task=False)[0]
    training, rates = Training(problem), []
    for _ in range(2):
        training.run_epoch(lambda: rates.append(training.optimiser.learning_rate))
    first = problem.spec.training["learning_rate"]
    assert rates == pytest.approx([first * math.exp(-0.002 * step) for step in range(len(rates))])
    assert len(rates) > 4


def resume(problem: Problem, state: bytes) -> Training:
    resumed = Training(problem)
    resumed.restore(torch.load(io.BytesIO(state), weights_only=True))
    while not resumed.is_over():
        resumed.run_epoch(lambda: None)
    return resumed


@pytest.mark.parametrize("variant", ["uncertainty", "gradnorm", "dwa", "lbtw", "dwa released"])
def test_a_checkpoint_without_the_strategys_state_would_give_other_bytes(variant, load):
    spec = spec_of(variant)
    problem = problems_of(spec, load(spec), per_task=False)[0]
    states: list[bytes] = []
    training = Training(problem)
    fresh = training.balancings.state_dict()
    fresh = {name: value.clone() for name, value in fresh.items()}
    while not training.is_over():
        training.run_epoch(lambda: states.append(tensor_bytes(training.state())))
    state = torch.load(io.BytesIO(states[-2]), weights_only=True)
    resumed = resume(problem, tensor_bytes({**state, "balancing": fresh}))
    assert tensor_bytes(resumed.model.state_dict()) != tensor_bytes(training.model.state_dict())


@BALANCED
def test_a_task_that_training_has_no_label_of_gets_no_weight_but_does_no_harm(variant, load, run):
    spec = spec_of(variant)
    data = load(spec)
    labels = data.labels.clone()
    labels[data.folds["train"], 3] = torch.nan
    result = run(spec, replace(data, labels=labels))
    assert np.isfinite(result.predictions["score"]).all()
    assert np.isfinite(result.history["train_loss"]).all()


@pytest.mark.parametrize(
    ("variant", "method"),
    [
        (variant, method)
        for variant in ("uncertainty", "gradnorm", "jacobian", "jacobian representation")
        for method in JOINT
        if method != "shared_bottom"
        and (
            capabilities("methods", method).has_trunk
            or not capabilities("balancing", variant.split()[0]).needs_trunk
        )
    ],
)
def test_every_method_that_learns_tasks_together_can_be_balanced(method, variant, load, run):
    once = {"training": {"epochs": 1}}
    spec = replace(spec_of(variant, **once), method=make_spec(method).method)
    balanced = run(spec, load(spec))
    plain = run(make_spec(method, **once), load(spec))
    assert balanced.weights is not None
    assert all(np.isfinite(balanced.predictions["score"]))
    assert tensor_bytes(balanced.weights) != tensor_bytes(plain.weights)


@pytest.mark.parametrize("method", JOINT)
def test_methods_are_as_balancing_takes_them_to_be(method, load):
    spec = make_spec(method)
    problem = problems_of(spec, load(spec), per_task=False)[0]
    model, x = build_model(problem).eval(), problem.data.x(problem.rows("train"))
    logits, labels = model(x), problem.labels(problem.rows("train"))
    for task, loss in enumerate(model.losses(logits, labels)):  # each of its own logits alone
        gradient = torch.autograd.grad(loss, logits, retain_graph=True)[0].abs().sum(0)
        assert gradient.nonzero().flatten().tolist() == [task]
    if getattr(model, "linear_heads", False):
        assert torch.equal(logits, model.heads(model.encoder(x)))


@pytest.mark.parametrize("variant", ["gradnorm", "jacobian representation"])
def test_bf16_is_balanced_too(variant, load, run):
    result = run(spec_of(variant, "gin", training={"precision": "bf16"}), load(spec_of(variant, "gin")))
    assert np.isfinite(result.predictions["score"]).all()
