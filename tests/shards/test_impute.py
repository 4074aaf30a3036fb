"""Filling the cells that have no label."""

from argparse import Namespace
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.core.files import write_json
from relatask.core.registry import capabilities, catalogue, load_loop, loop_of
from relatask.core.tables import write_batches, write_table
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.known_labels import Setting, passes, support_rows
from relatask.engine.network import trained_model
from relatask.engine.problem import problems_of
from relatask.engine.run import inputs_of, train_run
from relatask.models.loading import load_model
from relatask.plan.spec import RunSpec
from relatask.shards import impute as module
from relatask.shards.impute import impute
from relatask.shards.shard import Shard, ShardData
from relatask.steps import impute_labels as step
from tests.helpers.data_tables import write_records
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset
from tests.oracles.metalink import metalink

METHODS = [
    name
    for name, ability in catalogue("methods").items()
    if loop_of(name).imputes and not ability.per_task and ability.name != "forecaster"
]


def spec_of(method: str, seed: int = 0) -> RunSpec:
    encoder = "fingerprint_mlp" if capabilities("methods", method).uses_encoder else None
    return make_spec(method, encoder, seed=seed)


def trained(folder: Path, method: str, seeds: tuple[int, ...], labels: np.ndarray):
    """A data set and what fills it, by a run of each seed."""
    write_dataset(folder / "study" / "data" / "small", labels, seeds=seeds)
    found = []
    shared = ShardData(folder / "study" / "data" / "small", torch.device("cpu"))
    for seed in seeds:
        spec = spec_of(method, seed)
        Shard("00000", folder / "study", shared, "all").train([spec])
        data = shared.get(f"scaffold-{seed}", inputs_of(spec))
        model = load_model(folder / "study" / "runs" / spec.run_id)
        found.append(model.predictor(partial(shared.get, f"scaffold-{seed}")))
    return data, found


@pytest.mark.parametrize("method", METHODS)
def test_every_missing_cell_is_filled_once_by_the_mean_over_seeds(tmp_path, monkeypatch, method):
    monkeypatch.setattr(module, "ITEMS", 17)
    labels = random_labels(60, 4)
    data, imputers = trained(tmp_path, method, (0, 1), labels)
    write_batches("imputed", impute(data, imputers), tmp_path / "imputed.parquet")
    found = pd.read_parquet(tmp_path / "imputed.parquet")
    row, column = np.nonzero(np.isnan(labels))
    assert found["item_id"].tolist() == row.tolist()
    assert found["task_id"].tolist() == [f"task{task}" for task in column]
    assert (found["n_known"] == (~np.isnan(labels)).sum(1)[row]).all()
    parts = torch.arange(60).split(17)  # what is predicted together is known together
    both = np.stack([np.concatenate([one(rows) for rows in parts]) for one in imputers])[:, row, column]
    np.testing.assert_allclose(found["score"], both.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found["spread"], both.std(0, ddof=1), rtol=1e-3, atol=1e-7)
    assert found["score"].between(0, 1).all()
    assert found["spread"].max() > 0 or not capabilities("methods", method).uses_encoder  # which draw nothing


@pytest.mark.parametrize("method", ["metalink", "label_mean", "matrix_factorisation"])
def test_known_labels_of_a_molecule_move_its_other_cells(tmp_path, method):
    labels = random_labels(60, 4)
    data, (fill,) = trained(tmp_path, method, (0,), labels)
    molecule = data.folds["test"][:1]
    before = fill(molecule)
    task = int((~data.labels[molecule[0]].isnan()).nonzero()[0])
    data.labels[molecule, task] = 1 - data.labels[molecule, task]
    assert not torch.equal(fill(molecule), before)


def test_one_seed_has_no_spread(tmp_path):
    data, imputers = trained(tmp_path, "label_mean", (0,), random_labels(30, 3))
    write_batches("imputed", impute(data, imputers), tmp_path / "imputed.parquet")
    assert pd.read_parquet(tmp_path / "imputed.parquet")["spread"].isna().all()


def test_metalink_fills_as_its_equations_say(tmp_path):
    """Told all labels of the molecule and of the support, by the literal transcription."""
    write_dataset(tmp_path / "study" / "data" / "small", random_labels(60, 4))
    spec = spec_of("metalink")
    spec = replace(spec, method=spec.method.with_options(support=10))
    data = PreparedDataset.load(tmp_path / "study" / "data" / "small", "scaffold-0", inputs="ecfp")
    result = train_run(spec, data, Checkpoint(tmp_path / "c.pt", ""), lambda share, text: None, True)
    assert result.weights is not None
    (problem,) = problems_of(spec, data, per_task=False)
    one = next(passes(problem, Setting.of(problem), data.folds["test"]))
    support = support_rows(problem, Setting.of(problem), one)
    assert len(support) == 10
    molecules = torch.cat([data.folds["test"][:3], support[:2]])  # two are of the support themselves
    found = load_loop("metalink").predictor(problem, result.weights)(molecules)
    encoder = trained_model(problem, result.weights).eval().encoder
    for molecule, scores in zip(molecules, found, strict=True):
        place = (support == molecule).nonzero().flatten()
        told = support if not len(place) else support[1 - int(place) % 2 :: 2]  # the other half
        rows = torch.cat([molecule[None], told])
        labels = data.labels[rows]
        edges = {(i, j): float(labels[i, j]) for i, j in (~labels.isnan()).nonzero().tolist()}
        with torch.no_grad():
            items = encoder(data.x(rows)).float()
            logits = metalink(result.weights, items, edges, spec.method.options["layers"], n_query=1)
        torch.testing.assert_close(scores, logits[0].sigmoid(), rtol=1e-4, atol=1e-5)


def step_of(results: Path, spec: RunSpec) -> Namespace:
    """The arguments of the step impute_labels for one run, after its plan is written."""
    row = {
        **dict.fromkeys(("collection", "shard")),
        **dict.fromkeys(("tasks", "hyperparameters"), "{}"),
        **{key: getattr(spec, key) for key in ("run_id", "label", "dataset", "split")},
        **dict(zip(("method", "encoder", "balancing"), spec.names[:3], strict=True)),
        **{
            "seed": spec.seed,
            "restart": 0,
            "predicted_minutes": 1.0,
            "cost_factor": 1.0,
            "spec": spec.canonical(),
        },
    }
    plan = results / "study" / "plan.parquet"
    write_table("plan", pd.DataFrame([row]).astype({"shard": "Int32"}), plan)
    out = results / "study" / "imputed" / "small.parquet"
    return Namespace(plan=plan, dataset="small", label=spec.label, device="cpu", threads=1, out=out)


def test_the_step_refuses_a_model_of_other_data(tmp_path):
    labels = random_labels(60, 4)
    trained(tmp_path, "shared_bottom", (0,), labels)
    arguments = step_of(tmp_path, spec_of("shared_bottom"))
    step.run(arguments)
    assert len(pd.read_parquet(arguments.out)) == np.isnan(labels).sum()
    arguments.out.unlink()
    write_dataset(tmp_path / "study" / "data" / "small", 1 - labels)
    write_json(tmp_path / "study" / "data" / "small" / "dataset.json", {"digest": "other labels"})
    write_records(tmp_path / "study" / "data" / "small")
    with pytest.raises(
        RelataskError, match=r"SHARED_BOTTOM trained on 'small', seed 0 was trained on other dat"
    ):
        step.run(arguments)
    assert not arguments.out.exists()


def test_a_run_refuses_a_prior_of_other_data(tmp_path):
    labels = random_labels(60, 4)
    trained(tmp_path, "shared_bottom", (0,), labels)
    write_dataset(tmp_path / "study" / "data" / "small", 1 - labels)
    write_json(tmp_path / "study" / "data" / "small" / "dataset.json", {"digest": "other labels"})
    write_records(tmp_path / "study" / "data" / "small")
    spec = replace(spec_of("sgnn_ebm"), prior=spec_of("shared_bottom").run_id)
    shard = Shard(
        "00000",
        tmp_path / "study",
        ShardData(tmp_path / "study" / "data" / "small", torch.device("cpu")),
        "all",
    )
    with pytest.raises(RelataskError, match=r"SHARED_BOTTOM .* was trained on other data than"):
        shard.train([spec])
    assert not shard.journal.predictions_path(spec).exists()


def test_structure_alone_fills_with_what_it_predicts(tmp_path):
    data, (fill,) = trained(tmp_path, "shared_bottom", (0,), random_labels(60, 4))
    rows = data.folds["test"]
    before = fill(rows)
    data.labels[rows] = 1 - data.labels[rows]
    assert torch.equal(fill(rows), before)
