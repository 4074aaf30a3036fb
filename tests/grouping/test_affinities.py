"""TAG's affinities against a literal transcription, and the training beside them undisturbed."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from relatask.data.prepared import PreparedDataset
from relatask.engine.loops import supervised
from relatask.engine.problem import Problem, problems_of
from relatask.grouping.affinities import affinity_training
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset


@pytest.fixture(params=["fingerprint_mlp", "gin"])
def problem(request: pytest.FixtureRequest, tmp_path: Path) -> Problem:
    """Three tasks with missing labels, under an encoder that drops out."""
    write_dataset(tmp_path / "small", random_labels(60, 3))
    spec = make_spec(encoder=request.param)
    inputs = "graph" if request.param == "gin" else "ecfp"
    data = PreparedDataset.load(tmp_path / "small", "scaffold-0", inputs=inputs)
    (made,) = problems_of(spec, data, per_task=False)
    return made


def losses(model: torch.nn.Module, x: object, labels: torch.Tensor) -> list[torch.Tensor | None]:
    """Mean binary cross-entropy of each task, one label at a time; None without a label."""
    logits = model(x)
    found: list[torch.Tensor | None] = []
    for task in range(labels.shape[1]):
        cells = [
            torch.nn.functional.binary_cross_entropy_with_logits(logits[row, task], labels[row, task])
            for row in range(len(labels))
            if not labels[row, task].isnan()
        ]
        found.append(torch.stack(cells).mean() if cells else None)
    return found


def lookahead(model: torch.nn.Module, x: object, labels: torch.Tensor, rate: float) -> np.ndarray:
    """1 - L_t(θ - rate dL_b/dθ) / L_t(θ), a copy of the network for each b (TAG, eq. 1)."""
    n_tasks = labels.shape[1]
    table = np.full((n_tasks, n_tasks), np.nan)
    for partner in range(n_tasks):
        moved = copy.deepcopy(model).eval()
        before = losses(moved, x, labels)
        loss = before[partner]
        if loss is None:
            continue
        loss.backward()
        with torch.no_grad():
            for weight in moved.encoder.parameters():  # type: ignore[union-attr]
                weight -= rate * weight.grad  # type: ignore[operator]
        for task, after in enumerate(losses(moved, x, labels)):
            if after is not None:
                table[task, partner] = 1 - float(after.detach() / before[task].detach())  # type: ignore[union-attr]
    return table


def test_affinities_are_the_mean_over_steps_of_each_partners_lookahead(problem: Problem) -> None:
    training, steps = affinity_training(problem), []
    rate = problem.spec.training["learning_rate"]
    take = supervised.Training.take_step

    def spy(self: supervised.Training, batch: torch.Tensor) -> None:
        steps.append(lookahead(self.model, problem.data.x(batch), problem.labels(batch), rate))
        take(self, batch)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(supervised.Training, "take_step", spy)
        training.run_epoch(lambda: None)
    assert len(steps) > 1
    np.testing.assert_allclose(training.affinities(), np.nanmean(steps, 0), atol=2e-6)


def test_looking_ahead_changes_nothing_of_the_training(problem: Problem) -> None:
    trainings = [affinity_training(problem), supervised.Training(problem)]
    for training in trainings:
        for _ in range(2):
            training.run_epoch(lambda: None)
    for one, other in zip(*(training.model.state_dict().values() for training in trainings), strict=True):
        assert torch.equal(one, other)


def test_a_step_that_was_broken_off_goes_on_to_the_same_affinities(problem: Problem) -> None:
    whole, part = affinity_training(problem), affinity_training(problem)
    whole.run_epoch(lambda: None)
    part.run_epoch(lambda: None)
    again = affinity_training(problem)
    again.restore(copy.deepcopy(part.state()))
    for training in (whole, again):
        training.run_epoch(lambda: None)
    assert torch.equal(whole.affinities(), again.affinities())
