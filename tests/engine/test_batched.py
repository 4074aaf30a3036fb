"""Runs trained side by side in one pass learn what each learns alone."""

import hashlib
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.core.files import read_json
from relatask.core.progress import ProgressLine
from relatask.core.tables import read_table
from relatask.encoders._stacked_gin import StackedLinear, batched_linear
from relatask.engine import checkpoint as checkpoints
from relatask.engine import side_by_side
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.epochs import fit_all
from relatask.engine.loops import supervised
from relatask.engine.problem import Problem, TrainingResult, problems_of
from relatask.engine.side_by_side import runs_at_once
from relatask.plan.spec import Component, RunSpec
from relatask.shards.shard import Shard, ShardData
from tests.helpers.prepared_dataset import make_spec, write_dataset

SETS = [chosen for size in (1, 2, 3) for chosen in combinations(["task0", "task1", "task2", "task3"], size)]
CPU = torch.device("cpu")


def full_labels(n: int, n_tasks: int) -> np.ndarray:
    """No label is missing, so that all task sets have the same molecules; tasks can be learned a little."""
    rng = np.random.default_rng(3)
    return (rng.random((n, n_tasks)) < 0.5).astype(np.float32)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder of results with the data set."""
    write_dataset(tmp_path / "small", full_labels(90, 4))
    return tmp_path


class Killed(BaseException):
    """Stands for a kill signal."""


def specs(**training: object) -> list[RunSpec]:
    chosen = {"epochs": 6, "learning_rate": 0.01, "batch_size": 16, **training}
    return [make_spec(label=f"S{k}", tasks=tasks, training=chosen) for k, tasks in enumerate(SETS)]


def entries(results: Path, study: str, runs: list[RunSpec]) -> list[dict[str, object]]:
    """What the journal holds of each run but how long it took."""
    found = []
    for spec in runs:
        folder = results / study / "runs" / spec.run_id
        history = read_table("history", folder / "history.parquet")
        files = read_json(folder / "run.json")["files"]
        found.append(
            {
                "model": files["model/weights.safetensors"],
                "predictions": files["predictions.parquet"],
                "history": history.drop(columns=["seconds", "examples_per_second"]).to_dict("list"),
            }
        )
    return found


def train(results: Path, study: str, runs: list[RunSpec]) -> None:
    Shard("00000", results / study, ShardData(results / "small", CPU), "all").train(runs)


@pytest.mark.parametrize(
    ("training", "balancing", "options"),
    [
        ({}, "equal", {}),
        ({"patience": 1}, "equal", {}),
        ({"evaluate_every": 4}, "equal", {}),
        ({"weight_decay": 0.01, "schedule": "cosine"}, "equal", {}),
        ({"precision": "bf16"}, "equal", {}),
        ({"precision": "bf16"}, "uncertainty", {"form": "paper"}),
        ({}, "uncertainty", {"form": "released"}),
        ({"patience": 1}, "dwa", {"temperature": 0.2, "form": "paper"}),
        ({}, "dwa", {"temperature": 2.0, "form": "released"}),
        ({}, "lbtw", {"alpha": 0.5, "form": "paper"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("width", [128, 512], ids=["16_in_a_pass", "4_in_a_pass"])
def test_the_journal_holds_the_same_bytes_as_from_the_loop(
    results, monkeypatch, training, balancing, options, width
):
    runs = [replace(spec, balancing=Component(balancing, options)) for spec in specs(**training)]
    monkeypatch.setattr(side_by_side, "runs_at_once", lambda spec, device: 2048 // width)
    train(results, "batched", runs)
    monkeypatch.setattr(side_by_side, "runs_at_once", lambda spec, device: 0)
    train(results, "loop", runs)
    assert str(entries(results, "batched", runs)) == str(entries(results, "loop", runs))  # str: NaN is NaN


@pytest.mark.parametrize(("encoder", "inputs"), [("fingerprint_mlp", "ecfp"), ("gin", "graph")])
def test_all_layers_of_each_encoder_are_stacked(results, encoder, inputs):
    options = {"width": 16, "layers": 3, "dropout": 0.3}
    runs = [make_spec(encoder=encoder, tasks=tasks, encoder_options=options) for tasks in SETS[:5]]
    data = ShardData(results / "small", CPU).get("scaffold-0", inputs)
    problems = [problems_of(spec, data, per_task=False)[0] for spec in runs]
    together = supervised.Training(*problems)
    together.run_epoch(lambda: None)
    rows = problems[0].rows("valid")
    outputs = together.outputs(rows, range(len(problems)))
    for problem, selection, predicted in zip(problems, together.selections, outputs, strict=True):
        weights = selection.weights
        alone = supervised.Training(problem)
        alone.run_epoch(lambda: None)
        states = alone.model.state_dict()
        assert states.keys() == weights.keys()
        for name, value in states.items():
            assert torch.equal(value, weights[name]), name
        assert torch.equal(alone.predict(rows), predicted)


def test_the_product_for_gpus_is_that_of_the_loop():
    layers = [torch.nn.Linear(6, 5) for _ in range(3)]
    stacked, x = StackedLinear(layers), torch.randn(7, 18)
    maps = zip(layers, x.chunk(3, 1), strict=True)
    expected = torch.cat([layer(part) for layer, part in maps], 1).relu()
    torch.testing.assert_close(batched_linear(x, stacked.weight, stacked.bias), expected)


def test_patience_stops_a_run_and_not_those_beside_it(results):
    runs = specs(epochs=30, patience=2, learning_rate=0.05)
    train(results, "batched", runs)
    epochs = {
        len(read_table("history", results / "batched" / "runs" / spec.run_id / "history.parquet"))
        for spec in runs
    }
    assert len(epochs) > 1


def problems(results: Path, runs: list[RunSpec], **changes: object) -> list[Problem]:
    data = replace(ShardData(results / "small", CPU).get("scaffold-0", "ecfp"), **changes)
    return [problems_of(spec, data, per_task=False)[0] for spec in runs]


def outcome(result: TrainingResult | RelataskError) -> str:
    """All that came of a problem but the time it took."""
    if isinstance(result, RelataskError):
        return str(result)
    history = [{k: v for k, v in row.items() if "second" not in k} for row in result.history]
    content = {"scores": result.scores, "weights": result.weights, "history": str(history)}  # str: NaN is NaN
    return hashlib.sha256(tensor_bytes(content)).hexdigest()


def in_the_loop(problem: Problem, path: Path) -> TrainingResult | RelataskError:
    return fit_all(supervised.Training(problem), Checkpoint(path, ""), lambda share, text: None)[0]


def test_measured_values_and_bounds_are_learned_as_in_the_loop(results, tmp_path):
    data = ShardData(results / "small", CPU).get("scaffold-0", "ecfp")
    tasks = [replace(task, kind="real" if column < 2 else "binary") for column, task in enumerate(data.tasks)]
    labels, bounds = data.labels.clone(), torch.zeros(data.labels.shape, dtype=torch.int8)
    labels[:, :2] += torch.randn(len(labels), 2, generator=torch.Generator().manual_seed(0))
    bounds[::7, 0] = 1
    mixed = problems(results, specs(), tasks=tasks, labels=labels, bounds=bounds)
    together = fit_all(
        supervised.Training(*mixed), Checkpoint(tmp_path / "a.pt", ""), lambda share, text: None
    )
    alone = [in_the_loop(problem, tmp_path / "b.pt") for problem in mixed]
    assert list(map(outcome, together)) == list(map(outcome, alone))


def test_a_run_that_diverges_fails_alone(results, tmp_path):
    data = ShardData(results / "small", CPU).get("scaffold-0", "ecfp")
    tasks = [
        replace(task, kind="real" if column == 0 else "binary") for column, task in enumerate(data.tasks)
    ]
    labels, bounds = data.labels.clone(), torch.zeros(data.labels.shape, dtype=torch.int8)
    labels[:, 0], bounds[::2, 0] = 0.0, 1
    labels[::2, 0] = 3e38  # "> 3e38": the square of the error overflows
    broken = problems(results, specs(), tasks=tasks, labels=labels, bounds=bounds)
    together = fit_all(
        supervised.Training(*broken), Checkpoint(tmp_path / "a.pt", ""), lambda share, text: None
    )
    for problem, result in zip(broken, together, strict=True):
        if "task0" in problem.task_ids:
            with pytest.raises(RelataskError, match="diverged in epoch 1"):
                in_the_loop(problem, tmp_path / "b.pt")
            assert "diverged in epoch 1" in str(result)
        else:
            assert outcome(result) == outcome(in_the_loop(problem, tmp_path / "b.pt"))


@pytest.mark.parametrize("calls", [2, 9, 20])
def test_a_killed_pass_goes_on_to_the_same_bytes(results, monkeypatch, calls):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "LEAST_WORK", 0)
    runs = [
        replace(spec, balancing=Component("dwa", {"temperature": 2.0, "form": "paper"})) for spec in specs()
    ]
    train(results, "undisturbed", runs)
    shares: list[float] = []

    def kill(self: ProgressLine, share: float, text: str) -> None:
        shares.append(share)
        if len(shares) == calls:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(ProgressLine, "update", kill)
        with pytest.raises(Killed):
            train(results, "killed", runs)
    (left,) = (results / "killed" / "checkpoints").iterdir()
    assert left.name == f"{runs[0].run_id}.side_by_side.pt"
    resumed: list[float] = []
    with monkeypatch.context() as patched:
        patched.setattr(ProgressLine, "update", lambda self, share, text: resumed.append(share))
        train(results, "killed", runs)
    assert resumed[0] > shares[0], "it started over instead of going on"
    assert str(entries(results, "killed", runs)) == str(entries(results, "undisturbed", runs))
    assert not list((results / "killed" / "checkpoints").iterdir())


def test_what_cannot_be_stacked_is_left_to_the_loop():
    spec = make_spec(tasks=("task0",))
    assert runs_at_once(spec, CPU) > 1
    for other in (
        make_spec(),  # a row of the tables: one run of its kind for each seed
        make_spec("single_task", tasks=("task0",)),
        make_spec(encoder="gin", tasks=("task0",)),
        make_spec(balancing="gradnorm", tasks=("task0",)),
        make_spec(balancing="jacobian", tasks=("task0",)),
    ):
        assert runs_at_once(other, CPU) == 0
