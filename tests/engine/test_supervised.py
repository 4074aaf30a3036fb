"""Mini-batch training: which epoch wins, what a batch's loss is, and that a checkpoint loses nothing."""

import io
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.data.prepared import PreparedDataset
from relatask.engine import checkpoint as checkpoints
from relatask.engine.adam import Adam
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.loops.supervised import Training
from relatask.engine.problem import Problem, problems_of
from relatask.engine.run import inputs_of, train_run
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset
from tests.helpers.training_results import Killed, without_seconds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("small"), random_labels(80, 3))


@pytest.fixture
def problem_of(folder: Path) -> Callable[..., Problem]:
    def make(encoder: str = "fingerprint_mlp", **training) -> Problem:
        spec = make_spec(encoder=encoder, training=training)
        data = PreparedDataset.load(folder, "scaffold-0", inputs=inputs_of(spec))
        return problems_of(spec, data, per_task=False)[0]

    return make


def train(problem: Problem, folder: Path):
    return Training(problem).fit(Checkpoint(folder / "none.pt", ""), lambda share, text: None)


def test_the_step_size_falls_from_epoch_to_epoch_as_pytorchs_cosine_does(problem_of, tmp_path):
    training = Training(problem_of(schedule="cosine", epochs=4, learning_rate=0.1))
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=4)
    for _ in range(4):
        training.run_epoch(lambda: None)
        assert training.optimiser.learning_rate == pytest.approx(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    assert training.optimiser.learning_rate == pytest.approx(0.1 * (1 - math.sqrt(0.5)) / 2)


def test_the_loss_of_a_batch_is_the_mean_over_its_tasks_of_the_mean_over_their_cells(problem_of):
    training = Training(problem_of(learning_rate=1e-12))
    training.model.eval()
    batch = training.rows[:5]
    labels = training.problem.labels(batch).clone()
    labels[:, 1] = math.nan  # a task without a label in the batch
    logits = training.model(training.problem.data.x(batch)).detach()
    by_task = []
    for task in (0, 2):
        cells = [
            -math.log(torch.sigmoid(logits[row, task] if labels[row, task] else -logits[row, task]))
            for row in range(5)
            if not labels[row, task].isnan()
        ]
        by_task.append(sum(cells) / len(cells))
    training.problem.data.labels[batch] = labels
    training.take_step(batch)
    assert float(training.total) == pytest.approx(sum(by_task) / 2, rel=1e-5)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adam_is_torchs(weight_decay):
    torch.manual_seed(0)
    mine, theirs = ([torch.nn.Parameter(p) for p in (torch.ones(3, 4), torch.ones(2))] for _ in range(2))
    adam = Adam(mine, 0.01, weight_decay)
    reference = torch.optim.Adam(theirs, lr=0.01, weight_decay=weight_decay, fused=True)
    for step in range(7):
        adam.clear()
        reference.zero_grad()
        for k, parameters in enumerate(zip(mine, theirs, strict=True)):
            if k == 0 or step > 3:  # the second parameter is not used at first
                gradient = torch.randn_like(parameters[0])
                for parameter in parameters:
                    parameter.grad = gradient.clone()
        adam.step()
        reference.step()
        assert all(torch.equal(*parameters) for parameters in zip(mine, theirs, strict=True))


def test_the_epoch_with_the_best_validation_is_restored(problem_of, tmp_path):
    problem = problem_of(epochs=12, learning_rate=0.05)
    result = train(problem, tmp_path)
    valid = [row["valid_metric"] for row in result.history]
    best = valid.index(max(valid))
    assert best < 11, "the last epoch is the best one: the test shows nothing"
    training = Training(problem)
    for _ in range(best + 1):
        training.run_epoch(lambda: None)
    assert torch.equal(training.predict(problem.rows("test")).sigmoid(), result.scores["test"])


def test_without_both_classes_in_validation_the_last_epoch_is_taken_and_said(problem_of, tmp_path, caplog):
    problem = problem_of(epochs=4)
    data = replace(problem.data, labels=problem.data.labels.clone())
    data.labels[data.folds["valid"]] = 1.0
    problem = replace(problem, data=data)
    with caplog.at_level(logging.INFO):
        result = train(problem, tmp_path)
    assert "validation has no task with both classes; the last epoch is taken" in caplog.text
    assert all(math.isnan(row["valid_metric"]) for row in result.history)
    training = Training(problem)
    for _ in range(4):
        training.run_epoch(lambda: None)
    assert torch.equal(training.predict(problem.rows("test")).sigmoid(), result.scores["test"])


def test_patience_stops_after_so_many_validations_without_a_better_one(problem_of, tmp_path):
    valid = [row["valid_metric"] for row in train(problem_of(epochs=30, patience=2), tmp_path).history]
    assert len(valid) < 30
    best = max(valid)
    assert valid.index(best) == len(valid) - 3


def test_only_every_second_and_the_last_epoch_are_validated(problem_of, tmp_path):
    history = train(problem_of(epochs=5, evaluate_every=2), tmp_path).history
    assert [math.isnan(row["valid_metric"]) for row in history] == [True, False, True, False, False]


def test_a_diverging_run_says_which_key_to_change(problem_of, tmp_path):
    with pytest.raises(RelataskError, match=r"diverged in epoch 1: .* lower training\.learning_rate"):
        train(problem_of(learning_rate=1e38), tmp_path)


def test_a_run_without_training_molecules_says_so(problem_of):
    problem = problem_of()
    data = replace(problem.data, folds={**problem.data.folds, "train": torch.zeros(0, dtype=torch.int64)})
    with pytest.raises(RelataskError, match="no labelled item in training"):
        Training(replace(problem, data=data)).require_examples()


def test_bf16_trains_and_differs_from_fp32(problem_of, tmp_path):
    scores = [train(problem_of("gin", precision=p), tmp_path).scores["test"] for p in ("fp32", "bf16")]
    assert scores[1].isfinite().all()
    assert not torch.equal(*scores)


@pytest.mark.parametrize("encoder", ["fingerprint_mlp", "gin"])
def test_going_on_after_any_step_gives_the_same_bytes(problem_of, encoder):
    problem = problem_of(encoder, evaluate_every=2)
    states = []
    training = Training(problem)
    while not training.is_over():
        training.run_epoch(lambda: states.append(tensor_bytes(training.state())))
    assert len(states) == 9  # 3 epochs of 3 steps
    for state in states:
        torch.manual_seed(99)  # whatever the new process drew before
        resumed = Training(problem)
        resumed.restore(_load(state))
        while not resumed.is_over():
            resumed.run_epoch(lambda: None)
        assert tensor_bytes(resumed.selections[0].weights) == tensor_bytes(training.selections[0].weights)
        assert without_seconds(resumed.selections[0].history) == without_seconds(
            training.selections[0].history
        )


def _load(state: bytes) -> dict:
    return torch.load(io.BytesIO(state), weights_only=True)


@pytest.mark.parametrize("method", ["shared_bottom", "single_task", "random_forest"])
@pytest.mark.parametrize("calls", [2, 5, 8])
def test_a_run_killed_at_any_call_of_progress_ends_with_the_same_bytes(
    folder, tmp_path, monkeypatch, method, calls
):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "LEAST_WORK", 0)
    spec = make_spec(method, None if method == "random_forest" else "fingerprint_mlp")
    data = PreparedDataset.load(folder, "scaffold-0", inputs="ecfp")
    path = tmp_path / "checkpoint.pt"

    def run(progress):
        return train_run(spec, data, Checkpoint(path, "digests"), progress, keep_weights=True)

    undisturbed = run(lambda share, text: None)
    path.unlink()
    shares: list[float] = []

    def kill(share: float, text: str) -> None:
        shares.append(share)
        if len(shares) == calls:
            raise Killed

    if method == "random_forest" and calls > 3:
        pytest.skip("three tasks, three calls")
    with pytest.raises(Killed):
        run(kill)
    assert path.exists()
    resumed: list[float] = []
    again = run(lambda share, text: resumed.append(share))
    assert resumed[0] > 0, "it started over instead of going on"
    assert shares == sorted(shares)
    assert again.predictions.equals(undisturbed.predictions)
    assert tensor_bytes(again.weights) == tensor_bytes(undisturbed.weights)
    columns = [column for column in again.history.columns if "second" not in column]
    assert again.history[columns].equals(undisturbed.history[columns])
