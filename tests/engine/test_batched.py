"""Runs trained side by side in one pass learn what each learns alone."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from relatask.core.files import read_json
from relatask.core.tables import read_table
from relatask.encoders._stacked_gin import StackedLinear, batched_linear
from relatask.engine import side_by_side
from relatask.engine.loops import supervised
from relatask.engine.stacked import Batch, runs_at_once
from relatask.engine.unit import units_of
from relatask.plan.spec import RunSpec
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
    "training", [{}, {"patience": 1}, {"evaluate_every": 4}, {"weight_decay": 0.01}], ids=str
)
@pytest.mark.parametrize("width", [128, 512], ids=["16_in_a_pass", "4_in_a_pass"])
def test_the_journal_holds_the_same_bytes_as_from_the_loop(results, monkeypatch, training, width):
    runs = specs(**training)
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
    units = [units_of(spec, data, per_task=False)[0] for spec in runs]
    batch = Batch(units)
    batch.run_epoch()
    rows = units[0].rows("valid")
    side_by_side = batch.predict(rows).split(batch.sizes, 1)
    for unit, weights, predicted in zip(units, batch.best_weights, side_by_side, strict=True):
        alone = supervised.Training(unit)
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


def test_what_cannot_be_stacked_is_left_to_the_loop():
    spec = make_spec(tasks=("task0",))
    assert runs_at_once(spec, CPU) > 1
    for other in (
        make_spec(),  # a row of the tables: one run of its kind for each seed
        make_spec("single_task", tasks=("task0",)),
        make_spec(encoder="gin", tasks=("task0",)),
        make_spec(balancing="gradnorm", tasks=("task0",)),
        make_spec(tasks=("task0",), training={"precision": "bf16"}),
    ):
        assert runs_at_once(other, CPU) == 0
