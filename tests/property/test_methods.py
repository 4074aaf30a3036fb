"""What every registered method, with every encoder, must do."""

import io
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from relatask.core.registry import capabilities, catalogue, loop_of
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.network import build_model
from relatask.engine.problem import problems_of
from relatask.engine.run import RunResult, inputs_of, train_run
from relatask.plan.spec import RunSpec
from tests.helpers.prepared_dataset import (
    combinations,
    make_spec,
    random_labels,
    readers_of_structure,
    training_of,
    write_dataset,
)

ALL = pytest.mark.parametrize(("method", "encoder"), combinations())
STRUCTURE = pytest.mark.parametrize(("method", "encoder"), readers_of_structure())
LOGITS = pytest.mark.parametrize(
    ("method", "encoder"),
    [pair for pair in combinations() if loop_of(pair[0]).balances],
)
Load = Callable[[RunSpec], PreparedDataset]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """The small data set with the inputs that a run reads."""
    folder = write_dataset(tmp_path_factory.mktemp("small"), random_labels(60, 3), seeds=(0, 1))
    return lambda spec: PreparedDataset.load(folder, f"scaffold-{spec.seed}", inputs=inputs_of(spec))


def run(spec: RunSpec, data: PreparedDataset, folder: Path) -> RunResult:
    checkpoint = Checkpoint(folder / "checkpoint.pt", "digests")
    return train_run(spec, data, checkpoint, lambda share, text: None, keep_weights=True)


def test_every_method_is_held_to_these_properties_but_for_those_that_read_no_items_of_their_own():
    tested = {method for method, _ in combinations()}
    left = set(catalogue("methods")) - tested
    levels = {name for name, one in catalogue("methods").items() if "graph_parts" in (one.form, *one.inputs)}
    left -= levels  # of graphs with their nodes and pairs: tests/methods/same holds them to their own
    assert all(loop_of(method).forecasts or loop_of(method).episodes for method in left), left
    encoders = {encoder for _, encoder in combinations() if encoder}
    others = [one for name, one in catalogue("encoders").items() if name not in encoders]
    assert not any({"graph", "ecfp"} & {*one.inputs} for one in others)


@ALL
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(method, encoder, load, tmp_path):
    spec = make_spec(method, encoder)
    first, second = (run(spec, load(spec), tmp_path) for _ in range(2))
    other = run(replace(spec, seed=1), load(spec), tmp_path)
    assert first.predictions.equals(second.predictions)
    assert tensor_bytes(first.weights) == tensor_bytes(second.weights)
    same_cells = other.predictions["score"].to_numpy() == first.predictions["score"].to_numpy()
    assert not same_cells.all() or method in {"gradient_boosting", "pairwise_kernel"}  # which draw nothing


@ALL
def test_molecules_without_labels_change_no_score(method, encoder, load, tmp_path):
    labels = random_labels(60, 3)
    where = np.sort(np.random.default_rng(0).permutation(70)[:60])  # the others have no label
    more = np.full((70, 3), np.nan, np.float32)
    more[where] = labels
    folds = np.array(["train"] * 70, object)
    folds[where] = (["train", "train", "train", "valid", "test"] * 12)[:60]
    ids = np.arange(100, 170)
    few = write_dataset(tmp_path / "few", labels, item_ids=ids[where])
    many = write_dataset(tmp_path / "many", more, folds=folds.tolist(), item_ids=ids)
    spec = make_spec(method, encoder)
    scores = [
        run(spec, PreparedDataset.load(folder, "scaffold-0", inputs=inputs_of(spec)), tmp_path).predictions
        for folder in (few, many)
    ]
    assert scores[0].equals(scores[1])


@STRUCTURE
def test_a_method_can_learn_32_examples_by_heart(method, encoder, load, tmp_path):
    labels = random_labels(32, 2, seed=1)
    folder = write_dataset(tmp_path, labels, folds=["train"] * 32)
    changes: dict[str, Any] = {}
    if encoder is None:
        options = make_spec(method, encoder).method.options
        changes["options"] = {**options, "min_samples_leaf": 1} if "min_samples_leaf" in options else options
    else:
        changes["training"] = {"epochs": 150, "batch_size": 32, "learning_rate": 0.01}
        options = make_spec(method, encoder).encoder.options
        own = {name: value for name, value in {"width": 32, "dropout": 0.0}.items() if name in options}
        changes["encoder_options"] = {**options, **own}
    spec = make_spec(method, encoder, **changes)
    data = PreparedDataset.load(folder, "scaffold-0", inputs=inputs_of(spec))
    data = replace(data, folds=dict.fromkeys(data.folds, data.folds["train"]))
    result = run(spec, data, tmp_path).predictions
    assert len(result) == 2 * (~np.isnan(labels)).sum()  # valid and test are the training molecules here
    for _, cells in result.groupby("task_id"):
        assert roc_auc_score(cells["label"], cells["score"]) > 0.99


@LOGITS
@settings(max_examples=25)
@given(st.data())
def test_missing_labels_have_no_loss_and_no_gradient(method, encoder, load, data):
    spec = make_spec(method, encoder)
    problem = problems_of(spec, load(spec), capabilities("methods", method).per_task)[0]
    model = build_model(problem)
    n, n_tasks = 6, len(problem.columns)
    known = torch.tensor(data.draw(st.lists(st.booleans(), min_size=n * n_tasks, max_size=n * n_tasks)))
    known = known.view(n, n_tasks)
    labels = torch.where(known, torch.ones(n, n_tasks), torch.nan)
    logits = torch.randn(n, n_tasks, requires_grad=True)
    losses = model.losses(logits, labels)
    losses.sum().backward()
    assert losses.shape == (n_tasks,)
    assert (logits.grad[~known] == 0).all()
    assert (logits.grad[known] != 0).all()
    assert (losses[~known.any(0)] == 0).all()
    wild = torch.where(known, logits.detach(), torch.tensor(math.inf))
    torch.testing.assert_close(model.losses(wild, labels), losses.detach(), rtol=0, atol=0)


@LOGITS
def test_gradients_are_finite_with_one_labelled_cell(method, encoder, load):
    spec = make_spec(method, encoder)
    problem = problems_of(spec, load(spec), capabilities("methods", method).per_task)[0]
    model = build_model(problem)
    rows = problem.rows("train")[:1]
    labels = torch.full((1, len(problem.columns)), math.nan)
    labels[0, 0] = 1
    model.losses(model(problem.data.x(rows)), labels).sum().backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert sum(float(gradient.abs().sum()) for gradient in gradients) > 0


def without_dropout(spec):
    """The same run; encoders of tasks draw what they drop in the order of tasks."""
    options = {**spec.method.options, **({"dropout": 0.0} if "dropout" in spec.method.options else {})}
    encoder = spec.encoder
    if capabilities("methods", spec.method.name).encoders == "per task":
        encoder = replace(encoder, options={**encoder.options, "dropout": 0.0})
    return replace(spec, method=replace(spec.method, options=options), encoder=encoder)


def encoder_gradients(model):
    """Gradients of the shared encoder, or the sizes of those of several, whose order follows the tasks'."""
    if hasattr(model, "encoder"):
        return [p.grad for p in model.encoder.parameters()]
    return sorted(p.grad.norm() for p in model.encoders.parameters())


@LOGITS
def test_the_order_of_tasks_permutes_the_outputs(method, encoder, load):
    if capabilities("methods", method).per_task:
        pytest.skip("its networks have one task each")
    spec = without_dropout(make_spec(method, encoder))
    problem = problems_of(spec, load(spec), per_task=False)[0]
    order = torch.tensor([2, 0, 1])
    rows = problem.rows("train")
    logits, losses, gradients = [], [], []
    for columns in (problem.columns, problem.columns[order]):
        same = replace(problem, columns=columns)
        model = build_model(same)
        torch.manual_seed(0)  # dropout
        logits.append(model(same.data.x(rows)))
        losses.append(model.losses(logits[-1], same.labels(rows)))
        losses[-1].sum().backward()
        gradients.append(encoder_gradients(model))
    torch.testing.assert_close(logits[1], logits[0][:, order], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(losses[1], losses[0][order], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-3, atol=1e-5)
    assert len({round(loss, 4) for loss in losses[0].tolist()}) == 3  # so that the order matters


@pytest.mark.parametrize(("method", "encoder"), [pair for pair in combinations() if pair[1]])
def test_a_saved_network_predicts_the_same_after_reload(method, encoder, load, tmp_path):
    """To the bit in one process; tests/models hold it of every method in another one."""
    spec = make_spec(method, encoder)
    data = load(spec)
    result = run(spec, data, tmp_path)
    weights = torch.load(io.BytesIO(tensor_bytes(result.weights)), weights_only=True)
    for problem in problems_of(spec, data, capabilities("methods", method).per_task):
        training = training_of(problem)
        training.model.load_state_dict(weights[problem.name] if problem.name else weights)
        rows = problem.rows("test")
        scores = training.probabilities(rows)[~problem.labels(rows).isnan()]
        mine = result.predictions.query("fold == 'test' and task_id in @problem.task_ids")
        assert torch.equal(scores, torch.from_numpy(mine["score"].to_numpy(copy=True)))
