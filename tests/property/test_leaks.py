"""Held-out labels and molecules decide nothing: what every method with every encoder must not read."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.epochs import EpochTraining
from relatask.engine.problem import problems_of
from relatask.engine.run import RunResult, inputs_of, train_run
from relatask.plan.spec import RunSpec
from tests.helpers.changed_data import CELL, disguise, flipped, scores, shuffled, trace, with_labels
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
PER_TASK = pytest.mark.parametrize(
    ("method", "encoder"), [pair for pair in combinations() if capabilities("methods", pair[0]).per_task]
)
SETTINGS = {"training": {"epochs": 5}}
Load = Callable[[RunSpec], PreparedDataset]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    folder = write_dataset(tmp_path_factory.mktemp("small"), random_labels(60, 3))
    return lambda spec: PreparedDataset.load(folder, "scaffold-0", inputs=inputs_of(spec))


@pytest.fixture
def run(tmp_path: Path) -> Callable[[RunSpec, PreparedDataset], RunResult]:
    return lambda spec, data: train_run(
        spec, data, Checkpoint(tmp_path / "none.pt", ""), lambda share, text: None, keep_weights=True
    )


def blind_spec(method: str, encoder: str | None) -> RunSpec:
    """A run that is told no held-out label; what the other settings know is in test_known_labels.py."""
    spec = make_spec(method, encoder, **(SETTINGS if encoder else {}))
    if "known_ratio" in spec.method.options:
        return replace(spec, method=spec.method.with_options(known_ratio=0.0))
    return spec


def losses(result: RunResult) -> list[float]:
    return result.history["train_loss"].tolist()


@ALL
@pytest.mark.parametrize("change", [flipped, shuffled])
def test_labels_of_test_change_no_score_and_no_selected_epoch(method, encoder, load, run, change):
    spec = blind_spec(method, encoder)
    first, second = run(spec, load(spec)), run(spec, with_labels(load(spec), "test", change))
    assert scores(first).equals(scores(second))
    assert trace(first).equals(trace(second))
    assert tensor_bytes(first.weights) == tensor_bytes(second.weights)
    assert not first.predictions["label"].equals(second.predictions["label"])


@ALL
def test_labels_of_training_do_change_the_scores(method, encoder, load, run):
    spec = make_spec(method, encoder, **(SETTINGS if encoder else {}))
    first, second = run(spec, load(spec)), run(spec, with_labels(load(spec), "train", flipped))
    assert not scores(first).equals(scores(second))


@ALL
def test_labels_of_validation_act_through_the_selected_epoch_alone(method, encoder, load, run):
    spec = blind_spec(method, encoder)
    first, second = run(spec, load(spec)), run(spec, with_labels(load(spec), "valid", flipped))
    assert losses(first) == losses(second)
    if encoder is None:
        assert scores(first).equals(scores(second))
        return
    mirrored = 1 - first.history["valid_metric"]
    assert second.history["valid_metric"].to_numpy() == pytest.approx(mirrored.to_numpy())
    changes = 0
    for problem in problems_of(spec, load(spec), capabilities("methods", method).per_task):
        before, after = (valid_metric(result, problem.name).argmax() for result in (first, second))
        changes += before != after
        training, rows = training_of(problem), problem.rows("test")
        by_task = type(training).chosen_weights is not EpochTraining.chosen_weights
        epochs = []
        for epoch in range(training.settings["epochs"] if by_task else after + 1):
            training.run_epoch(lambda: None)
            if by_task or epoch == after:  # a loop that chooses by task may take any
                epochs.append(training.probabilities(rows))
        for column, task in enumerate(problem.task_ids):
            there = ~problem.labels(rows)[:, column].isnan()
            cells = second.predictions.query("fold == 'test'")
            found = torch.from_numpy(cells["score"][cells["task_id"] == task].to_numpy(copy=True))
            assert any(torch.equal(scores[there, column], found) for scores in epochs)
    assert changes, "the same epochs are selected: the test shows nothing"


def valid_metric(result: RunResult, task: str) -> np.ndarray:
    rows = result.history["task_id"] == task if task else result.history["task_id"].isna()
    return result.history.loc[rows, "valid_metric"].to_numpy()


@STRUCTURE
def test_molecules_of_test_are_not_read_before_they_are_scored(method, encoder, load, run):
    spec = make_spec(method, encoder, **(SETTINGS if encoder else {}))
    plain, disguised = load(spec), disguise(load(spec), "test")
    first, second = run(spec, plain), run(spec, disguised)
    assert scores(first, "valid").equals(scores(second, "valid"))
    assert trace(first).equals(trace(second))
    assert tensor_bytes(first.weights) == tensor_bytes(second.weights)
    assert not scores(first, "test").equals(scores(second, "test"))


@STRUCTURE
def test_molecules_of_validation_are_not_trained_on(method, encoder, load, run):
    spec = make_spec(method, encoder, training={"epochs": 1}) if encoder else make_spec(method, encoder)
    plain, disguised = load(spec), disguise(load(spec), "valid")
    first, second = run(spec, plain), run(spec, disguised)
    assert scores(first, "test").equals(scores(second, "test"))
    assert losses(first) == losses(second)
    assert not scores(first, "valid").equals(scores(second, "valid"))


@ALL
def test_exactly_the_labelled_cells_of_validation_and_test_are_scored(method, encoder, load, run):
    spec = make_spec(method, encoder)
    data = load(spec)
    expected = {
        (fold, int(data.item_ids[row]), data.task_ids[task]): float(data.labels[row, task])
        for fold in ("valid", "test")
        for row in data.folds[fold].tolist()
        for task in range(3)
        if not data.labels[row, task].isnan()
    }
    found = run(spec, data).predictions
    cells = zip(found["fold"], found["item_id"], found["task_id"], strict=True)
    assert dict(zip(cells, found["label"], strict=True)) == expected
    assert len(found) == len(expected) < 3 * (len(data.folds["valid"]) + len(data.folds["test"]))


@ALL
def test_labels_of_tasks_outside_the_run_change_no_score(method, encoder, load, run):
    spec = make_spec(method, encoder, tasks=("task0", "task1"))
    other = load(spec).labels.clone()
    known = (~other[:, 2].isnan()).nonzero()[:, 0]
    other[known[::2], 2] = torch.nan  # some molecules now have no label at all
    other[known[1::2], 2] = 1 - other[known[1::2], 2]
    assert other.isnan().all(1).any()
    data = replace(load(spec), labels=other)
    labelled = ~other.isnan().all(1)
    data = replace(data, folds={fold: rows[labelled[rows]] for fold, rows in data.folds.items()})
    first, second = run(spec, load(spec)), run(spec, data)
    assert scores(first).equals(scores(second))
    assert trace(first).equals(trace(second))
    assert set(first.predictions["task_id"]) == {"task0", "task1"}


@PER_TASK
def test_parts_of_the_tasks_give_the_scores_of_all_at_once(method, encoder, load, run):
    spec = make_spec(method, encoder)
    whole = run(spec, load(spec))
    parts = [
        run(replace(spec, tasks={"part": part, "of": of}), load(spec)) for of in (3, 2) for part in range(of)
    ]
    for some in (parts[:3], parts[3:]):
        together = pd.concat([part.predictions for part in some]).sort_values(CELL, ignore_index=True)
        assert together[[*CELL, "score"]].equals(scores(whole))
    assert len({part.predictions["run_id"].iloc[0] for part in parts} | {spec.run_id}) == 6


@PER_TASK
def test_a_part_without_a_task_is_refused(method, encoder, load, run):
    spec = make_spec(method, encoder, tasks={"part": 3, "of": 4})
    with pytest.raises(RelataskError, match=r"no task to learn: the data set 'small' has 3.*use fewer parts"):
        run(spec, load(spec))
