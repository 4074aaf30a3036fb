"""ACS: each task takes the weights of its own best epoch of one shared run."""

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from relatask.data.prepared import PreparedDataset
from relatask.data.tasks import Task
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.loops import supervised
from relatask.engine.problem import EVALUATED, Problem, problems_of
from relatask.engine.run import RunResult, train_run
from relatask.methods.acs import own_epochs
from relatask.plan.spec import RunSpec
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset
from tests.oracles.acs import area_under_curve, best_epochs

TRAINING = {"epochs": 6, "learning_rate": 0.02, "patience": None}
SILENT = 3  # the task without two classes in validation


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    labels = random_labels(100, 4)
    labels[3::5, SILENT] = np.where(np.isnan(labels[3::5, SILENT]), np.nan, 1)
    folder = write_dataset(tmp_path_factory.mktemp("small"), labels)
    return PreparedDataset.load(folder, "scaffold-0", inputs="ecfp")


def spec_of(**changes: Any) -> RunSpec:
    return make_spec("acs", training={**TRAINING, **changes.pop("training", {})}, **changes)


def run(spec: RunSpec, data: PreparedDataset, folder: Path) -> RunResult:
    checkpoint = Checkpoint(folder / "none.pt", "")
    return train_run(spec, data, checkpoint, lambda share, text: None, keep_weights=True)


def every_epoch(problem: Problem) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Values of the validation and scores of both folds after each epoch of the shared run alone."""
    training, values, scores = supervised.Training(problem), [], []
    while not training.is_over():
        training.run_epoch(lambda: None)
        values.append(training.values_by_task[0])
        scores.append(training.scores())
    return values, scores


@pytest.mark.parametrize("balancing", ["equal", "gradnorm"])
def test_each_task_is_predicted_by_its_best_epoch_of_all_that_the_shared_run_had(data, balancing, tmp_path):
    (problem,) = problems_of(spec_of(balancing=balancing), data, per_task=False)
    _, scores = every_epoch(problem)
    labels = problem.labels(problem.rows("valid"), "valid")
    values = [
        [
            area_under_curve(
                *(part[~labels[:, task].isnan(), task].tolist() for part in (labels, own["valid"]))
            )
            for task in range(4)
        ]
        for own in scores
    ]
    chosen = best_epochs(values)
    assert all(math.isnan(row[SILENT]) for row in values)
    assert len({*chosen}) > 1  # or it would be a shared bottom
    result = own_epochs.Training(problem).fit(Checkpoint(tmp_path / "none.pt", ""), lambda share, text: None)
    for fold in EVALUATED:
        expected = torch.stack([scores[epoch][fold][:, task] for task, epoch in enumerate(chosen)], 1)
        torch.testing.assert_close(result.scores[fold], expected, rtol=0, atol=1e-6)


def test_epochs_that_tasks_share_are_kept_once(data):
    (problem,) = problems_of(spec_of(), data, per_task=False)
    training = own_epochs.Training(problem)
    while not training.is_over():
        training.run_epoch(lambda: None)
        assert {*training.kept} == {*training.epoch_of.tolist()}
    (weights,) = training.chosen_weights()
    heads = [name for name in weights if name.endswith("heads.weight")]
    assert len(heads) == len({*training.epoch_of.tolist()}) < 4


def test_with_one_task_it_is_a_shared_bottom(data, tmp_path, monkeypatch):
    draws = RunSpec.seeded_by  # which the name of the method is part of
    monkeypatch.setattr(RunSpec, "seeded_by", lambda spec: {**draws(spec), "method": "same"})
    for task in ("task0", f"task{SILENT}"):
        one = run(spec_of(tasks=(task,)), data, tmp_path)
        other = run(replace(spec_of(tasks=(task,)), method=make_spec().method), data, tmp_path)
        assert one.predictions["score"].tolist() == other.predictions["score"].tolist()
        assert one.weights.keys() - other.weights.keys() == {"checkpoint_of"}
        assert all(torch.equal(one.weights[name], value) for name, value in other.weights.items())


def test_going_on_after_any_step_gives_the_same_bytes(data):
    (problem,) = problems_of(spec_of(training={"evaluate_every": 2}), data, per_task=False)
    training, states = own_epochs.Training(problem), []
    while not training.is_over():
        training.run_epoch(lambda: states.append(tensor_bytes(training.state())))
    for state in states[:: len(states) // 5]:
        torch.manual_seed(99)  # whatever the new process drew before
        resumed = own_epochs.Training(problem)
        resumed.restore(torch.load(io.BytesIO(state), weights_only=True))
        while not resumed.is_over():
            resumed.run_epoch(lambda: None)
        assert tensor_bytes(resumed.chosen_weights()) == tensor_bytes(training.chosen_weights())


def test_all_outputs_of_a_task_of_classes_are_of_its_own_epoch(data, tmp_path):
    labels = data.labels.clone()
    sizes = torch.arange(len(labels)) % 9
    labels[:, 1] = torch.where(labels[:, 1].isnan(), torch.nan, 100 + 10.0 * sizes)
    labels[:, 2] = torch.where(labels[:, 2].isnan(), torch.nan, (sizes % 3).float())
    kinds = [("binary", ()), ("real", ()), ("class", ("a", "b", "c")), ("binary", ())]
    tasks = tuple(
        Task(task_id, task_id, kind=kind, n_classes=len(classes) or None, classes=classes)
        for task_id, (kind, classes) in zip(data.task_ids, kinds, strict=True)
    )
    mixed = replace(data, labels=labels, tasks=tasks)
    (problem,) = problems_of(spec_of(), mixed, per_task=False)
    values, scores = every_epoch(problem)
    chosen = best_epochs([row.tolist() for row in values])
    assert len({*chosen}) > 1
    result = own_epochs.Training(problem).fit(Checkpoint(tmp_path / "none.pt", ""), lambda share, text: None)
    place = {epoch: number for number, epoch in enumerate(sorted({*chosen}))}
    outputs = [place[chosen[task]] for task in (0, 1, 2, 2, 2, 3)]
    assert result.weights["checkpoint_of"].tolist() == outputs
    expected = torch.stack([scores[epoch]["test"][:, task] for task, epoch in enumerate(chosen)], 1)
    torch.testing.assert_close(result.scores["test"], expected, rtol=1e-5, atol=1e-5)
