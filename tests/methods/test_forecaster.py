"""Forecasts against loops over points and series, and what they must not read."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.loops.forecasting import Training, forecasts
from relatask.engine.problem import problems_of
from relatask.engine.run import train_run
from relatask.grouping.affinities import affinity_training
from relatask.plan.spec import RunSpec
from relatask.sources.point_series import series_tables
from tests.helpers.data_tables import prepared_folder
from tests.helpers.prepared_dataset import make_spec

TASKS = ["s0", "s1", "s2"]
WINDOW, HORIZON = 6, 4


def spec_of(tasks: Sequence[str] = TASKS, **changes: object) -> RunSpec:
    options = {"series": 3, "window": WINDOW, "width": 8, "layers": 1, "dropout": 0.1}
    chosen = {"options": {"horizon": HORIZON}, "encoder_options": options, **changes}
    return make_spec("forecaster", "series_mlp", split="chronological", tasks=list(tasks), **chosen)


def load(folder: Path, values: np.ndarray) -> PreparedDataset:
    times = [str(number) for number in range(len(values))]
    fractions = (0.6, 0.2, 0.2)
    tables = series_tables(times, TASKS[: values.shape[1]], values, fractions)
    splits = {"chronological": {"seeds": [0], "fractions": fractions}}
    prepared_folder(folder, tables, ["series"], splits)
    return PreparedDataset.load(folder, "chronological-0", inputs="series")


@pytest.fixture
def values() -> np.ndarray:
    """Three noisy waves of 110 points: 66 train, 22 validate, 22 test."""
    time = np.arange(110)[:, None]
    return np.sin(time / np.array([3, 5, 7])) + 0.1 * np.random.default_rng(0).normal(size=(110, 3))


def training_of(spec: RunSpec, data: PreparedDataset) -> Training:
    (problem,) = problems_of(spec, data, per_task=False)
    return Training(problem)


def run(spec: RunSpec, data: PreparedDataset, folder: Path):
    checkpoint = Checkpoint(folder / "none.pt", "")
    return train_run(spec, data, checkpoint, lambda share, text: None, keep_weights=True)


def test_held_out_points_are_forecast_in_blocks_from_what_is_known_before(values, tmp_path) -> None:
    data = load(tmp_path / "d", values)
    training = training_of(spec_of(["s0", "s2"]), data)
    known = data.labels.numpy()
    training.model.eval()
    for fold in ("valid", "test"):
        rows = data.folds[fold].tolist()
        expected = np.full((len(rows), 2), np.nan)
        for block in range(0, len(rows), HORIZON):
            start = rows[block]
            window = torch.tensor(known[start - WINDOW : start])
            changes = training.model(window[None])[0].detach().numpy()
            for ahead, row in enumerate(range(block, min(block + HORIZON, len(rows)))):
                for column, series in enumerate((0, 2)):
                    expected[row, column] = known[start - 1, series] + changes[ahead, column]
        np.testing.assert_allclose(training.predict(data.folds[fold]), expected, atol=1e-5)
    errors = np.abs(training.predict(training.valid).numpy() - known[66:88][:, [0, 2]])
    assert training.valid_value() == pytest.approx(errors.mean(), abs=1e-6)


def test_training_forecasts_from_every_point_and_only_within_the_fold(values, tmp_path) -> None:
    data = load(tmp_path / "d", values)
    training = training_of(spec_of(), data)
    assert training.rows.tolist() == list(range(WINDOW, 66 - HORIZON + 1))
    known, targets = training.examples(torch.tensor([10, 62]))
    labels = data.labels.numpy()
    for item, start in enumerate((10, 62)):
        np.testing.assert_array_equal(known[item], labels[start - WINDOW : start])
        np.testing.assert_array_equal(targets[item], labels[start : start + HORIZON] - labels[start - 1])
    training.model.eval()
    losses = training.task_losses(known, targets).detach()
    changes = training.model(known).detach()
    for series in range(3):
        squares = [
            float(changes[item, ahead, series] - targets[item, ahead, series]) ** 2
            for item in range(2)
            for ahead in range(HORIZON)
        ]
        assert float(losses[series]) == pytest.approx(np.mean(squares), rel=1e-5)


def test_a_forecast_reads_no_value_of_its_block_or_after_it(values, tmp_path) -> None:
    data = load(tmp_path / "d", values)
    training = training_of(spec_of(), data)
    before = training.predict(data.folds["test"])
    start = 88 + 2 * HORIZON
    changed = data.inputs.values.clone()  # type: ignore[union-attr]
    changed[start:] += 100
    changed_data = replace(data, inputs=replace(data.inputs, values=changed))
    after = forecasts(training.model, replace(training.problem, data=changed_data), data.folds["test"])
    torch.testing.assert_close(after[: 3 * HORIZON], before[: 3 * HORIZON], rtol=0, atol=0)
    assert (after[3 * HORIZON :] != before[3 * HORIZON :]).any()


def test_test_values_decide_nothing_of_the_weights(values, tmp_path) -> None:
    other = values.copy()
    other[88:] = 50
    results = [
        run(spec_of(), load(tmp_path / name, array), tmp_path)
        for name, array in (("a", values), ("b", other))
    ]
    assert tensor_bytes(results[0].weights) == tensor_bytes(results[1].weights)


def test_a_run_learns_what_a_window_says_and_keeps_the_best_epoch(values, tmp_path) -> None:
    data = load(tmp_path / "d", values)
    result = run(spec_of(training={"epochs": 40}), data, tmp_path)
    history = result.history.sort_values("epoch")["valid_metric"].to_numpy()
    assert history.argmin() > 10
    held = result.predictions[result.predictions["fold"] == "valid"]
    error = np.abs(held["score"] - held["label"]).mean()
    assert error == pytest.approx(history.min(), abs=1e-5)
    labels = data.labels.numpy()
    naive = np.mean(
        [np.abs(labels[at : at + HORIZON] - labels[at - 1]).mean() for at in range(66, 88, HORIZON)]
    )
    assert error < naive  # than the last value repeated


def test_a_series_starts_from_the_same_head_whatever_its_set(values, tmp_path) -> None:
    data = load(tmp_path / "d", values)
    heads = {}
    for tasks in (TASKS, ["s1"], ["s1", "s2"]):
        model = training_of(spec_of(tasks), data).model
        heads[len(tasks)] = model.weight.detach().unflatten(0, (HORIZON, -1))[:, tasks.index("s1")]  # type: ignore[union-attr,operator]
    assert torch.equal(heads[3], heads[1])
    assert torch.equal(heads[3], heads[2])


def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(values, tmp_path) -> None:
    data, spec = load(tmp_path / "d", values), spec_of()
    whole, part = training_of(spec, data), training_of(spec, data)
    for _ in range(3):
        whole.run_epoch(lambda: None)
    saved: list[dict] = []

    def stop() -> None:
        if part.epoch == 1 and part.step == 2:
            weights = {name: value.clone() for name, value in part.state()["networks"].items()}
            saved.append({**part.state(), "networks": weights})
            raise KeyboardInterrupt

    part.run_epoch(lambda: None)
    with pytest.raises(KeyboardInterrupt):
        part.run_epoch(stop)
    torch.save(saved[0], tmp_path / "state.pt")
    again = training_of(spec, data)
    again.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    while again.epoch < 3:
        again.run_epoch(lambda: None)
    assert tensor_bytes(again.model.state_dict()) == tensor_bytes(whole.model.state_dict())


def test_affinities_of_series_are_those_of_a_copy_that_takes_the_step(values, tmp_path) -> None:
    data = load(tmp_path / "d", values)
    (problem,) = problems_of(spec_of(), data, per_task=False)
    training, plain = affinity_training(problem), Training(problem)
    batch, rate = training.rows[:16], problem.spec.training["learning_rate"]
    expected = np.zeros((3, 3))
    for partner in range(3):
        copy = Training(problem)
        copy.model.eval()
        known, targets = copy.examples(batch)
        before = copy.task_losses(known, targets)
        before[partner].backward()
        with torch.no_grad():
            for weight in copy.model.encoder.parameters():  # type: ignore[union-attr]
                weight -= rate * weight.grad  # type: ignore[operator]
            after = copy.task_losses(known, targets)
        expected[:, partner] = 1 - (after / before.detach()).numpy()
    training.take_step(batch)
    np.testing.assert_allclose(training.affinities(), expected, atol=2e-6)
    training, plain = affinity_training(problem), Training(problem)
    for each in (training, plain):
        each.run_epoch(lambda: None)
    assert tensor_bytes(training.model.state_dict()) == tensor_bytes(plain.model.state_dict())


def test_a_network_for_other_series_or_windows_is_refused(values, tmp_path) -> None:
    with pytest.raises(RelataskError, match="the data have 2 series; set its option series: 2"):
        training_of(spec_of(["s0"]), load(tmp_path / "two", values[:, :2]))
    with pytest.raises(RelataskError, match="training has 9 points, a forecast needs 6 before and 4 ahead"):
        training_of(spec_of(), load(tmp_path / "short", values[:15]))
