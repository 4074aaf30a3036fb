"""Weights of labels: 0 leaves a label out of training, 2 counts it twice, and only training reads them."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils.class_weight import compute_class_weight

from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities, catalogue
from relatask.data.prepared import PreparedDataset
from relatask.data.prepared_tables import NOWHERE
from relatask.data.tasks import Task
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.kinds import kinds_of
from relatask.engine.problem import problems_of
from relatask.engine.run import RunResult, inputs_of, train_run
from relatask.engine.weights import weighted
from relatask.methods.pairwise_kernel.conjugate_gradients import solve
from relatask.nn.kinds import KindOutputs, TaskKinds
from relatask.nn.losses import task_losses
from tests.helpers.prepared_dataset import make_spec, random_labels, training_of, write_dataset

NAN = math.nan
BALANCED = {"classes": "balanced"}
COLUMN = {"weight_column": "w"}
WEIGHING = [name for name, ability in catalogue("methods").items() if ability.weights]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PreparedDataset]:
    """60 molecules, 36 of them for training, with labels of 0 and 1 of three tasks."""
    folder = write_dataset(tmp_path_factory.mktemp("weights"), random_labels(60, 3))
    return {inputs: PreparedDataset.load(folder, "scaffold-0", inputs=inputs) for inputs in ("graph", "ecfp")}


def run(method: str, data: Mapping[str, PreparedDataset], folder: Path, given: Any) -> RunResult:
    uses_encoder = capabilities("methods", method).uses_encoder
    spec = make_spec(method, "fingerprint_mlp" if uses_encoder else None, weights=given)
    checkpoint = Checkpoint(folder / "none.pt", "")
    return train_run(spec, data[inputs_of(spec)], checkpoint, lambda share, text: None, keep_weights=False)


@pytest.mark.parametrize("method", WEIGHING)
def test_an_item_of_weight_0_is_left_out_of_training(
    method: str, loaded: dict[str, PreparedDataset], tmp_path: Path
) -> None:
    weightless, without = {}, {}
    for inputs, data in loaded.items():
        out, rows = torch.zeros(len(data.labels), dtype=torch.bool), data.folds["train"]
        out[rows[::2]] = True
        weightless[inputs] = replace(data, sample_weights=(~out).float())
        labels = data.labels.masked_fill(out[:, None], NAN)
        folds = {**data.folds, "train": rows[~out[rows]]}
        without[inputs] = replace(data, labels=labels, folds=folds, sample_weights=torch.ones(60))
    plain = (
        COLUMN if method == "random_forest" else None
    )  # whose bootstrap draws otherwise where it has weights
    found = run(method, weightless, tmp_path, COLUMN).predictions.drop(columns="run_id")
    expected = run(method, without, tmp_path, plain).predictions.drop(columns="run_id")
    pd.testing.assert_frame_equal(found, expected, rtol=1e-5)
    assert not np.allclose(found["score"], run(method, loaded, tmp_path, None).predictions["score"])


def test_a_class_of_weight_0_is_left_out_and_held_out_labels_never_are(loaded: Any) -> None:
    data = loaded["ecfp"]
    found = weighted(data, {"classes": {"task1": {"0": 0.0}}})
    rows = data.folds["train"]
    assert set(found.labels[rows, 1].nan_to_num(5).tolist()) == {1.0, 5.0}
    assert torch.equal(found.labels[:, [0, 2]].nan_to_num(5), data.labels[:, [0, 2]].nan_to_num(5))
    for fold in ("valid", "test"):
        own = data.folds[fold]
        assert torch.equal(found.labels[own].nan_to_num(5), data.labels[own].nan_to_num(5))
        assert torch.equal(found.folds[fold], own)
    assert not found.labels[found.folds["train"]].isnan().all(1).any()


def test_a_label_of_weight_0_leaves_training_where_cells_are_split(loaded: Any) -> None:
    data = loaded["ecfp"]
    cells = torch.full(data.labels.shape, NOWHERE, dtype=torch.uint8)
    cells[~data.labels.isnan()] = 0
    cells[:, 2][~data.labels[:, 2].isnan()] = 2  # of each item some labels are for training, one for test
    folds = {
        fold: torch.nonzero((cells == place).any(1))[:, 0]
        for place, fold in enumerate(("train", "valid", "test"))
    }
    weights = torch.ones(len(data.labels))
    weights[:30] = 0
    found = weighted(replace(data, cell_folds=cells, folds=folds, sample_weights=weights), COLUMN)
    assert found.cell_folds is not None
    assert found.folds["train"].min() >= 30
    assert torch.equal(found.folds["test"], folds["test"])
    assert torch.equal(found.cell_folds == 2, cells == 2)
    assert (found.cell_folds[:30, :2] == NOWHERE).all()


KINDS = TaskKinds(
    ("binary", "real", "class"), (1, 1, 3), torch.tensor([0.0, 5, 0]), torch.tensor([1.0, 2, 1])
)


def test_weight_2_is_the_label_twice_in_losses_of_every_kind_and_in_their_gradients() -> None:
    torch.manual_seed(0)
    outputs = torch.randn(4, 5, requires_grad=True)
    labels = torch.tensor([[1.0, 6, 2], [0, NAN, 0], [NAN, 4, 1], [1, 7.5, NAN]])
    bounds = torch.tensor([[0, 1, 0], [0, 0, 0], [0, -1, 0], [0, 0, 0]], dtype=torch.int8)
    weights = torch.tensor([2.0, 1, 1, 2])[:, None].expand(4, 3)
    twice = torch.tensor([0, 0, 1, 2, 3, 3])
    module = KindOutputs(KINDS)
    found = module.losses(outputs, labels, bounds, weights)
    expected = module.losses(outputs[twice], labels[twice], bounds[twice])
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    gradients = [torch.autograd.grad(losses.sum(), outputs)[0] for losses in (found, expected)]
    torch.testing.assert_close(*gradients)
    found = task_losses(outputs[:, :1], labels[:, :1], 3 * weights[:, :1])  # only ratios count
    assert found.item() == pytest.approx(task_losses(outputs[twice, :1], labels[twice, :1]).item(), rel=1e-6)


def test_a_task_whose_labels_have_no_weight_has_loss_0_and_no_gradient() -> None:
    logits = torch.tensor([[torch.inf], [1.0]], requires_grad=True)
    loss = task_losses(logits, torch.tensor([[NAN], [1.0]]), torch.tensor([[1.0], [0.0]]))
    loss.sum().backward()
    assert loss.tolist() == [0.0]
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0.0], [0.0]]


def test_weight_2_is_the_label_twice_for_kernel_ridge_regression() -> None:
    rng = np.random.default_rng(0)
    states = torch.from_numpy(rng.normal(size=(5, 8)))
    twice, tasks = torch.tensor([0, 1, 1, 2, 3, 4]), torch.eye(2, dtype=torch.float64)
    labels = torch.from_numpy(rng.normal(size=(5, 2)))
    weights = torch.ones(5, 2, dtype=torch.float64)
    weights[1] = 2
    known = torch.ones_like(labels)
    found = solve(states @ states.T, tasks, labels, known, 0.5 / weights, 1e-12)
    double = states[twice] @ states[twice].T
    expected = solve(double, tasks, labels[twice], known[[0, *range(5)]], 0.5, 1e-12)
    torch.testing.assert_close(states.T @ found, states[twice].T @ expected)


def test_values_are_standardised_by_their_weights(loaded: Any) -> None:
    labels = torch.arange(60.0)[:, None].repeat(1, 3)
    data = replace(
        loaded["ecfp"],
        labels=labels,
        tasks=tuple(Task(f"v{n}", f"v{n}", kind="real", metric="mae") for n in range(3)),
        sample_weights=torch.arange(60) % 3,
    )
    (problem,) = problems_of(make_spec(weights=COLUMN), data, per_task=False)
    values = np.repeat(np.arange(60.0), np.arange(60) % 3)
    values = values[np.isin(values, data.folds["train"])]
    kinds = kinds_of(problem)
    assert kinds.mean.tolist() == pytest.approx([values.mean()] * 3, rel=1e-6)
    assert kinds.deviation.tolist() == pytest.approx([values.std()] * 3, rel=1e-6)


def test_balanced_weights_are_those_of_scikit_learn_for_each_task(loaded: Any) -> None:
    data = loaded["ecfp"]
    labels = data.labels.clone()
    labels[:, 2] = torch.from_numpy(np.random.default_rng(0).choice([0.0, 2, NAN], 60, p=[0.2, 0.5, 0.3]))
    colour = Task("colour", "colour", kind="class", n_classes=4, classes=("r", "g", "b", "x"))
    data = replace(data, labels=labels, tasks=(*data.tasks[:2], colour))
    found = weighted(data, BALANCED)
    assert found.weights is not None
    rows = data.folds["train"]
    for column in range(3):
        known = rows[~labels[rows, column].isnan()]
        own = labels[known, column].numpy()
        classes = np.unique(own)
        expected = dict(zip(classes, compute_class_weight("balanced", classes=classes, y=own), strict=True))
        np.testing.assert_allclose(found.weights[known, column], [expected[one] for one in own], rtol=1e-6)


def test_weights_of_classes_multiply_those_of_items(loaded: Any) -> None:
    data = replace(loaded["ecfp"], sample_weights=torch.full((60,), 0.5))
    given = {"classes": {"task0": 3.0, "task1": {"0": 2.0}}, **COLUMN, "tasks": {"task2": 4.0}}
    found = weighted(data, given)
    rows = data.folds["train"]
    assert found.weights is not None
    for column, of_label in enumerate([{0: 0.5, 1: 1.5}, {0: 1.0, 1: 0.5}, {0: 0.5, 1: 0.5}]):
        for row in rows.tolist():
            label = data.labels[row, column].item()
            assert math.isnan(label) or found.weights[row, column].item() == of_label[int(label)]
    assert found.task_weights is not None
    assert found.task_weights.tolist() == [1.0, 1.0, 4.0]


def test_a_forest_with_balanced_weights_is_scikit_learns_own(loaded: Any, tmp_path: Path) -> None:
    data = loaded["ecfp"]
    found = run("random_forest", loaded, tmp_path, BALANCED).predictions
    (problem, *_) = problems_of(make_spec("random_forest", None), data, per_task=True)
    rows, test = problem.rows("train"), problem.rows("test")
    forest = RandomForestClassifier(
        **{key: value for key, value in problem.spec.method.options.items() if key != "class_weight"},
        class_weight="balanced",
        random_state=problem.seed("estimator") % 2**32,
    ).fit(data.x(rows).numpy(), problem.labels(rows)[:, 0].numpy())
    own = found[(found["task_id"] == "task0") & (found["fold"] == "test")]
    np.testing.assert_allclose(own["score"], forest.predict_proba(data.x(test).numpy())[:, 1], rtol=1e-6)
    assert not np.allclose(own["score"], run("random_forest", loaded, tmp_path, None).predictions.query(
        "task_id == 'task0' and fold == 'test'")["score"])  # fmt: skip


def test_a_step_descends_on_the_mean_of_losses_by_the_weights_of_tasks(loaded: Any) -> None:
    losses = torch.tensor([1.0, 0.0, 3.0])
    labels = torch.tensor([[0.0, NAN, 1.0]])
    for given, expected in ((None, 2.0), ({"tasks": {"task0": 3.0, "task1": 50.0}}, 1.5)):
        (problem,) = problems_of(make_spec(weights=given), loaded["ecfp"], per_task=False)
        training: Any = training_of(problem)
        training.losses_of = lambda *told: losses
        problem = replace(problem, data=replace(problem.data, labels=labels.repeat(60, 1)))
        training.problems = (problem,)
        step = training._step(0, torch.zeros(1, 3), torch.tensor([0]))
        assert step.mean.item() == pytest.approx(expected)


def test_weights_of_tasks_change_what_a_network_learns(loaded: Any, tmp_path: Path) -> None:
    found = [
        run(method, loaded, tmp_path, given).predictions["score"]
        for method in ("shared_bottom", "pairwise_kernel")
        for given in (None, {"tasks": {"task1": 1.0}}, {"tasks": {"task1": 20.0}})
    ]
    for plain, ones, twenty in (found[:3], found[3:]):
        np.testing.assert_allclose(plain, ones, rtol=1e-5)
        assert not np.allclose(plain, twenty)


def test_items_without_weights_are_named(loaded: Any) -> None:
    with pytest.raises(RelataskError, match="the items have no weights, and the run reads them from 'w'"):
        weighted(loaded["ecfp"], COLUMN)
