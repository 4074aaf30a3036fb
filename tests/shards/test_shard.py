"""A shard trains what the journal lacks, shares what it reads, and survives what one run does."""

import json
import logging
import shutil
from argparse import Namespace
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from relatask.core import code_at_start
from relatask.core.errors import RelataskError
from relatask.core.files import read_json, sha256_of, write_json, write_text
from relatask.core.registry import catalogue
from relatask.core.source_code import imported_by
from relatask.core.tables import COLUMNS, read_table, write_table
from relatask.data.prepared import PreparedDataset
from relatask.engine import checkpoint as checkpoints
from relatask.journal.digests import code_of_run, files_of_run
from relatask.journal.heartbeat import read_heartbeats
from relatask.journal.journal import Journal
from relatask.models.loading import load_model
from relatask.plan.manifest import read_manifest, shard_manifest
from relatask.plan.spec import Component
from relatask.shards import shard as shards
from relatask.shards.shard import Shard, ShardData
from relatask.steps import train_shard as step
from tests.helpers.data_tables import write_records
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

CLASSES = list(COLUMNS["classes"])
SPECS = [
    make_spec("single_task"),
    make_spec("shared_bottom", "gin"),
    make_spec("shared_bottom", "gin", seed=1),
    make_spec("random_forest", None),
]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder of results with the data set."""
    write_dataset(tmp_path / "study" / "data" / "small", random_labels(80, 3), seeds=(0, 1))
    return tmp_path


def train(results: Path, specs=SPECS, keep_models: str = "all") -> dict[str, str]:
    data = ShardData(results / "study" / "data" / "small", torch.device("cpu"))
    return Shard("00000", results / "study", data, keep_models).train(specs)


def test_a_shard_trains_every_run_and_returns_the_digests_of_their_predictions(results):
    digests = train(results)
    assert list(digests) == [spec.run_id for spec in SPECS]
    for spec in SPECS:
        path = results / "study" / "runs" / spec.run_id / "predictions.parquet"
        assert digests[spec.run_id] == sha256_of(path)
        frame = read_table("predictions", path)
        assert set(frame["fold"]) == {"valid", "test"}
        assert len(frame) == sum(spec_cells(results, fold) for fold in ("valid", "test"))
        keys = frame[["fold", "item_id", "task_id"]].astype({"fold": str, "task_id": str})
        assert keys.equals(keys.sort_values(["fold", "item_id", "task_id"], ignore_index=True))
        assert frame["score"].between(0, 1).all()
    assert not list((results / "study" / "checkpoints").glob("*"))


def spec_cells(results: Path, fold: str) -> int:
    data = PreparedDataset.load(results / "study" / "data" / "small", "scaffold-0", inputs="ecfp")
    return int((~data.labels[data.folds[fold]].isnan()).sum())


def test_a_run_in_the_journal_is_not_trained_again(results, monkeypatch):
    digests = train(results)
    monkeypatch.setattr(shards, "train_run", None)
    renamed = [replace(spec, label="NEW") for spec in SPECS]
    assert train(results, renamed) == digests


def test_new_data_train_again_and_only_what_reads_them(results, caplog):
    train(results)
    write_json(results / "study" / "data" / "small" / "splits" / "scaffold-1.json", {"digest": "another"})
    write_records(results / "study" / "data" / "small")
    with caplog.at_level(logging.INFO):
        train(results)
    again = [record.getMessage() for record in caplog.records if "trained again" in record.getMessage()]
    assert again == [f"run {SPECS[2].run_id} (SHARED_BOTTOM seed 1) is trained again: its data changed"]


def test_runs_with_and_without_weights_share_a_shard(results):
    items = read_table("items", results / "study" / "data" / "small" / "items.parquet")
    items["sample_weight"] = (items["item_id"] % 2).astype("float32")
    write_table("items", items, results / "study" / "data" / "small" / "items.parquet")
    write_records(results / "study" / "data" / "small")
    plain = make_spec("random_forest", None)
    specs = [plain, replace(plain, weights={"weight_column": "trust"})]
    manifest = results / "manifest.json"
    write_text(manifest, shard_manifest(specs, "study"))
    assert read_manifest(manifest)[1] == specs
    digests = train(results, specs)
    assert len({*digests.values()}) == 2
    learned = [
        pd.read_parquet(results / "study" / "runs" / spec.run_id / "model" / "items.parquet")["item_id"]
        for spec in specs
    ]
    assert learned[1].tolist() == [item for item in learned[0] if item % 2]
    scores = [
        read_table("predictions", results / "study" / "runs" / spec.run_id / "predictions.parquet")
        for spec in specs
    ]
    assert scores[0][["item_id", "label"]].equals(scores[1][["item_id", "label"]])  # metrics read no weights


def test_a_run_whose_code_changed_meanwhile_is_not_journalled(results, monkeypatch):
    """Also if it was changed back: a module is imported when it is first needed."""
    found = next(file for file in files_of_run(*SPECS[0].names) if file.startswith("methods/"))
    monkeypatch.setattr(code_at_start, "_SEALS", {found: (1, 2, 3, 4)})
    with pytest.raises(RelataskError, match=rf"{found} changed while its code ran; run the workflow again"):
        train(results, SPECS[:1])
    assert not Journal(results / "study").predictions_path(SPECS[0]).exists()
    monkeypatch.setattr(code_at_start, "_SEALS", {})
    assert train(results, SPECS[:1])


def test_weights_to_start_from_count_by_their_content(results, tmp_path):
    weights = tmp_path / "resnet.pth"
    weights.write_bytes(b"one")
    encoder = Component("resnet", {"depth": 18, "width": 8, "weights": str(weights), "normalise": False})
    spec = replace(SPECS[-1], encoder=encoder)
    shard = Shard(
        "0", results / "study", ShardData(results / "study" / "data" / "small", torch.device("cpu")), "none"
    )
    before = shard._digests(spec)
    assert before["initial"] == sha256_of(weights)
    weights.write_bytes(b"two")
    shards._sha256_of.cache_clear()  # as in another process
    assert shard._digests(spec)["initial"] == sha256_of(weights) != before["initial"]
    weights.unlink()
    shards._sha256_of.cache_clear()
    with pytest.raises(
        RelataskError, match=r"resnet\.pth does not exist; leave the option out that names it"
    ):
        shard._digests(spec)
    assert "initial" not in shard._digests(SPECS[-1])


OF_ANOTHER_VERSION = {
    "labels": {"value": 1.0},
    "tasks": {"metric": "brier"},
    "relations": {"score": 0.25},
    "classes": {"name": "other"},
    "items": {"source_id": "other"},
    "splits/scaffold-0": {"fold": ["train", "valid", "test"] * 26 + ["train", "train"]},
}


@pytest.mark.parametrize("file", OF_ANOTHER_VERSION)
def test_a_file_of_another_version_trains_nothing_until_it_is_put_back(results, file):
    folder, specs = results / "study" / "data" / "small", SPECS[3:]
    write_table("classes", pd.DataFrame([("task0", 0, "no")], columns=CLASSES), folder / "classes.parquet")
    write_records(folder)
    path = folder / f"{file}.parquet"
    right, name = path.read_bytes(), "split" if "split" in file else file
    write_table(name, read_table(name, path).assign(**OF_ANOTHER_VERSION[file]), path)
    record = "scaffold-0" if name == "split" else "dataset"
    with pytest.raises(
        RelataskError, match=rf"{file}\.parquet is not the file that \S+/{record}\.json describ"
    ):
        train(results, specs)
    assert not Journal(results / "study").predictions_path(specs[0]).exists()
    path.write_bytes(right)
    trained = train(results, specs)
    again = results / "again"
    shutil.copytree(folder, again / "study" / "data" / "small")
    assert trained == train(again, specs)


@pytest.mark.parametrize("file", ["items", "labels", "relations", "splits/scaffold-0"])
def test_a_folder_that_was_copied_in_part_trains_nothing(results, file):
    (results / "study" / "data" / "small" / f"{file}.parquet").unlink()
    with pytest.raises(RelataskError, match=rf"{file}\.parquet does not exist, but \S+\.json names it; run"):
        train(results, SPECS[3:])


def test_labels_that_change_while_a_shard_runs_are_not_read_again(results):
    hidden = pd.DataFrame(
        {"item_id": range(80), "task_id": None, "fold": ["train", "valid", "test", "hidden"] * 20}
    )
    write_table("split", hidden, results / "study" / "data" / "small" / "splits" / "scaffold-1.parquet")
    write_records(results / "study" / "data" / "small")
    data = PreparedDataset.load(results / "study" / "data" / "small", "scaffold-1", inputs="ecfp")
    path = results / "study" / "data" / "small" / "labels.parquet"
    write_table("labels", read_table("labels", path).assign(value=0.0), path)
    with pytest.raises(RelataskError, match=r"labels\.parquet is not the file"):
        data.with_split(results / "study" / "data" / "small", "scaffold-0")


def test_the_code_of_a_run_is_what_trains_it_and_no_other_method(tmp_path, monkeypatch):
    before = code_of_run("shared_bottom", "gin")
    others = [code_of_run("single_task", "gin"), code_of_run("shared_bottom", "fingerprint_mlp"),
              code_of_run("random_forest", None), code_of_run("shared_bottom", "gin", "dwa")]  # fmt: skip
    assert len({before, *others}) == 5
    files = imported_by("engine/run.py", "engine/loops/supervised.py", "methods/shared_bottom.py")
    assert {"data/prepared.py", "nn/losses.py", "evaluation/metrics.py", "core/files.py"} <= set(files)
    for name in catalogue("methods"):
        assert (f"methods/{name}.py" in files) == (name == "shared_bottom")
    assert not {"plan/plan.py", "journal/journal.py", "core/progress.py", "shards/shard.py"} & set(files)


def test_a_failing_run_is_noted_and_the_others_go_on(results, caplog):
    diverging = make_spec("shared_bottom", training={"learning_rate": 1e38})
    no_split = make_spec("random_forest", None, seed=7)
    with pytest.raises(RelataskError) as raised, caplog.at_level(logging.INFO):
        train(results, [diverging, SPECS[0], no_split, SPECS[3]])
    message = str(raised.value)
    assert message.startswith("shard 00000: 2 of 4 runs failed: ")
    assert f"{diverging.run_id} (SHARED_BOTTOM seed 0): SHARED_BOTTOM seed 0 diverged in epoch 1" in message
    assert f"{no_split.run_id} (RANDOM_FOREST seed 7): " in message
    assert "scaffold-7.json does not exist" in message
    failed = results / "study" / "failed"
    assert {path.stem for path in failed.iterdir()} == {diverging.run_id, no_split.run_id}
    assert "lower training.learning_rate" in read_json(failed / f"{diverging.run_id}.json")["reason"]
    assert "Traceback" not in caplog.text  # the sentence says it all
    assert "2 of 4 runs trained in" in caplog.text
    assert len(train(results, [SPECS[0], SPECS[3]])) == 2


@pytest.mark.parametrize(("keep", "kept"), [("all", {0, 1, 2, 3}), ("joint", {1, 2}), ("none", set())])
def test_models_are_kept_as_asked(results, keep, kept):
    train(results, keep_models=keep)
    found = {
        number
        for number, spec in enumerate(SPECS)
        if (results / "study" / "runs" / spec.run_id / "model").exists()
    }
    assert found == kept


def test_the_features_are_read_once_for_all_runs(results, monkeypatch):
    loads = []
    load = PreparedDataset.load
    monkeypatch.setattr(
        shards.PreparedDataset, "load", lambda *a, **k: loads.append(k["inputs"]) or load(*a, **k)
    )
    train(results)
    assert sorted(loads) == ["ecfp", "graph"]


def test_a_shared_data_set_is_the_one_that_is_loaded_for_a_split(results):
    folds = read_table("split", results / "study" / "data" / "small" / "splits" / "scaffold-1.parquet")
    folds["fold"] = folds["fold"].astype(str).replace({"train": "test", "test": "train"})
    write_table("split", folds, results / "study" / "data" / "small" / "splits" / "scaffold-1.parquet")
    write_records(results / "study" / "data" / "small")
    data = ShardData(results / "study" / "data" / "small", torch.device("cpu"))
    for split in ("scaffold-0", "scaffold-1", "scaffold-0"):
        loaded = PreparedDataset.load(results / "study" / "data" / "small", split, inputs="ecfp")
        for fold in ("train", "valid", "test"):
            assert torch.equal(data.get(split, "ecfp").folds[fold], loaded.folds[fold]), (split, fold)
    assert data.get("scaffold-0", "graph").labels is data.get("scaffold-1", "ecfp").labels


def test_a_truncated_checkpoint_is_ignored_and_said(results, caplog):
    expected = train(results)
    for spec in SPECS[:2]:
        (results / "study" / "runs" / spec.run_id / "run.json").unlink()
    path = results / "study" / "checkpoints" / f"{SPECS[1].run_id}.pt"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(checkpoints.sealed(checkpoints.tensor_bytes({"digests": "s"}))[:-40])
    with caplog.at_level(logging.INFO):
        assert train(results) == expected
    assert f"{path.name} cannot be read" in caplog.text
    assert not path.exists()


def test_a_checkpoint_of_other_code_is_not_resumed(results, caplog):
    expected = train(results)
    path = results / "study" / "checkpoints" / f"{SPECS[1].run_id}.pt"
    (results / "study" / "runs" / SPECS[1].run_id / "run.json").unlink()
    path.parent.mkdir(exist_ok=True)
    old = checkpoints.tensor_bytes({"digests": "old", "finished": [], "in_flight": None})
    path.write_bytes(checkpoints.sealed(old))
    with caplog.at_level(logging.INFO):
        assert train(results) == expected
    assert "written by other code, data or libraries; the run starts over" in caplog.text


def test_no_run_is_trained_by_two_versions_of_a_library(results, caplog, monkeypatch):
    """A pass is stopped in its middle, torch is upgraded, and what comes then starts over."""
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr(shards, "LIBRARIES", {"torch": "2.12.0"})
        patched.setattr(Journal, "enter", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(results, SPECS[:1])
    assert (results / "study" / "checkpoints" / f"{SPECS[0].run_id}.pt").exists()
    with caplog.at_level(logging.INFO):
        train(results, SPECS[:1])
    assert "written by other code, data or libraries; the run starts over" in caplog.text


def _interrupted(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_the_step_writes_the_same_file_however_the_runs_came_about(results):
    manifest = results / "study" / "shards" / "00000.json"
    write_text(manifest, shard_manifest(SPECS, "study"))
    outs = [results / name for name in ("first.json", "second.json")]
    for out in outs:
        values = {"manifest": manifest, "device": "cpu", "threads": 1, "keep_models": "joint", "out": out}
        step.run(Namespace(**values))
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert set(json.loads(outs[0].read_text())) == {spec.run_id for spec in SPECS}


@pytest.mark.parametrize(("spec", "wanted"), [(SPECS[1], "auto"), (SPECS[3], "cpu")])
def test_a_shard_without_networks_takes_no_gpu(results, monkeypatch, spec, wanted):
    claimed = []

    @contextmanager
    def claim(device):
        claimed.append(device)
        yield torch.device("cpu")

    monkeypatch.setattr(step, "claimed_device", claim)
    manifest = results / "study" / "shards" / "00000.json"
    write_text(manifest, shard_manifest([spec], "study"))
    values = {"manifest": manifest, "device": "auto", "threads": 1, "keep_models": "none"}
    step.run(Namespace(**values, out=results / "done.json"))
    assert claimed == [wanted]


def test_a_shard_says_which_run_it_trains_and_is_silent_at_the_end(results, monkeypatch):
    said = []
    train_run = shards.train_run

    def spy(spec, *rest):
        said.append((spec.run_id, read_heartbeats(results / "study")))
        return train_run(spec, *rest)

    monkeypatch.setattr(shards, "train_run", spy)
    train(results, SPECS[2:])
    assert [[(told.shard, told.run_id, told.running) for told in heartbeats] for _, heartbeats in said] == [
        [("00000", run_id, True)] for run_id, _ in said
    ]
    assert len(said) == 2
    assert read_heartbeats(results / "study") == []


def test_progress_says_shard_run_epoch_metric_and_time_left(results, monkeypatch, caplog):
    from relatask.core import progress

    monkeypatch.setattr(progress, "SECONDS", 0.0)
    with caplog.at_level(logging.INFO):
        train(results, SPECS[:2])
    lines = [record.getMessage() for record in caplog.records if "epoch" in record.getMessage()]
    assert lines[0].startswith(
        "shard 00000 · run 1/2 · SINGLE_TASK fingerprint_mlp seed 0 · task 1/3 · epoch 1/3"
    )
    assert lines[-1].startswith("shard 00000 · run 2/2 · SHARED_BOTTOM gin seed 0 · epoch 3/3 · valid 0.")
    assert lines[-1].endswith("0 s left")


def test_an_encoder_starts_from_the_trained_one_of_another_run_and_the_rest_anew(tmp_path):
    write_dataset(tmp_path / "small", random_labels(40, 3))
    shard = Shard("00000", tmp_path / "study", ShardData(tmp_path / "small", torch.device("cpu")), "all")
    source = make_spec(training={"epochs": 2})
    shard.train([source])
    (trained,) = load_model(shard.model_of(source.run_id)).weights.values()
    spec = make_spec("sgnn_ebm", encoder_from=source.run_id, training={"learning_rate": 1e-12, "epochs": 1})
    shard.train([spec])
    (found,) = load_model(shard.model_of(spec.run_id)).weights.values()
    own = {name for name in found if name.startswith("encoder.") and name.endswith(("weight", "bias"))}
    assert own
    for name in own:
        torch.testing.assert_close(found[name], trained[name], rtol=0, atol=1e-8)
    anew = replace(spec, encoder_from=None)
    shard.train([anew])
    (other,) = load_model(shard.model_of(anew.run_id)).weights.values()
    moved = {name for name in found if not torch.allclose(found[name], other[name], atol=1e-6)}
    assert moved
    assert all(name.startswith("encoder.") or "running" in name for name in moved)
