"""Where cells are held out and not molecules: which labels act on what, for every method."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.core.registry import capabilities
from relatask.core.tables import write_table
from relatask.data.prepared import PreparedDataset
from relatask.data.splits import FOLDS
from relatask.data.splits.cells import split_cells
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.known_labels import Setting, passes
from relatask.engine.problem import problems_of
from relatask.engine.run import RunResult, inputs_of, train_run
from relatask.models.loading import load_model
from relatask.models.saving import model_of_run
from relatask.plan.spec import RunSpec
from tests.helpers.data_tables import write_records
from tests.helpers.prepared_dataset import combinations, make_spec, random_labels, write_dataset

METHODS = [pair for pair in combinations() if pair[1] in {None, "fingerprint_mlp"}]
ALL = pytest.mark.parametrize(("method", "encoder"), METHODS)
READERS = [method for method, _ in METHODS if capabilities("methods", method).uses_known_labels]
CELL = ["fold", "item_id", "task_id"]
Load = Callable[[RunSpec], PreparedDataset]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_dataset(tmp_path_factory.mktemp("small"), random_labels(60, 4))
    labels = pd.read_parquet(folder / "labels.parquet")
    split = split_cells(labels, 0, (0.6, 0.2, 0.2))
    write_table("split", split, folder / "splits" / "cells-0.parquet")
    write_records(folder)
    return folder


@pytest.fixture
def load(folder: Path) -> Load:
    return lambda spec: PreparedDataset.load(folder, "cells-0", inputs=inputs_of(spec))


@pytest.fixture
def run(tmp_path: Path) -> Callable[[RunSpec, PreparedDataset], RunResult]:
    return lambda spec, data: train_run(
        spec, data, Checkpoint(tmp_path / "none.pt", ""), lambda share, text: None, keep_weights=True
    )


def spec_of(method: str, encoder: str | None) -> RunSpec:
    return make_spec(method, encoder, split="cells")


def flipped(data: PreparedDataset, fold: str) -> PreparedDataset:
    inside = data.cell_folds == FOLDS.index(fold)
    assert inside.any()
    return replace(data, labels=torch.where(inside, 1 - data.labels, data.labels))


@ALL
def test_exactly_the_held_out_cells_are_predicted(method, encoder, load, run):
    spec = spec_of(method, encoder)
    data, result = load(spec), run(spec, load(spec))
    for place, fold in enumerate(FOLDS):
        cells = result.predictions[result.predictions["fold"] == fold]
        row, column = (data.cell_folds == place).nonzero(as_tuple=True) if place else ([], [])
        found = set(zip(cells["item_id"], cells["task_id"].astype(str), strict=True))
        assert found == {(int(i), f"task{int(j)}") for i, j in zip(row, column, strict=True)}
        assert len(found) == len(cells)


@ALL
def test_labels_of_test_cells_change_no_score(method, encoder, load, run):
    spec = spec_of(method, encoder)
    first, second = run(spec, load(spec)), run(spec, flipped(load(spec), "test"))
    assert first.predictions[[*CELL, "score"]].equals(second.predictions[[*CELL, "score"]])
    assert first.history["valid_metric"].equals(second.history["valid_metric"])
    assert not first.predictions["label"].equals(second.predictions["label"])


@ALL
def test_labels_of_validation_cells_choose_the_epoch_alone(method, encoder, load, run):
    spec = spec_of(method, encoder)
    first, second = run(spec, load(spec)), run(spec, flipped(load(spec), "valid"))
    assert first.history["train_loss"].equals(second.history["train_loss"])
    if encoder is None:
        assert first.predictions["score"].equals(second.predictions["score"])
    else:
        mirrored = 1 - first.history["valid_metric"].to_numpy()
        assert second.history["valid_metric"].to_numpy() == pytest.approx(mirrored)


@ALL
def test_labels_of_training_cells_change_the_scores(method, encoder, load, run):
    spec = spec_of(method, encoder)
    first, second = run(spec, load(spec)), run(spec, flipped(load(spec), "train"))
    assert not first.predictions["score"].equals(second.predictions["score"])


@pytest.mark.parametrize("method", READERS)
def test_a_molecule_is_known_by_all_its_training_labels_and_by_no_other(method, load):
    encoder = "fingerprint_mlp" if capabilities("methods", method).uses_encoder else None
    spec = spec_of(method, encoder)
    (problem,) = problems_of(spec, load(spec), per_task=False)
    rows = problem.rows("test")
    (one,) = passes(problem, Setting.of(problem), rows)
    assert problem.data.cell_folds is not None
    training = problem.data.cell_folds[rows] == FOLDS.index("train")
    assert torch.equal(one.known, training)
    assert torch.equal(one.predicted, ~training)


@pytest.mark.parametrize("method", READERS)
def test_filling_a_table_reads_the_held_out_cells_as_well(method, folder, load, run, tmp_path):
    encoder = "fingerprint_mlp" if capabilities("methods", method).uses_encoder else None
    spec = spec_of(method, encoder)
    data = load(spec)
    for name, content in model_of_run(spec, run(spec, data), data, folder).items():
        (tmp_path / name).write_bytes(content)
    model = load_model(tmp_path)
    true, changed = (
        model.scores(lambda form, one=one: one, data.folds["test"]) for one in (data, flipped(data, "test"))
    )
    assert not np.array_equal(true, changed)


def test_the_same_seed_gives_the_same_bytes(load, run):
    spec = spec_of("metalink", "fingerprint_mlp")
    assert tensor_bytes(run(spec, load(spec)).weights) == tensor_bytes(run(spec, load(spec)).weights)
