"""A search asks validation alone, goes on after a kill, and its row is trained with what it chose."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.__main__ import main
from relatask.core.errors import DivergedError, RelataskError
from relatask.core.files import write_text
from relatask.core.layout import in_study
from relatask.core.tables import read_table, write_table
from relatask.models.loading import load_model
from relatask.plan.manifest import shard_manifest
from relatask.plan.spec import RunSpec
from relatask.shards.search import SAMPLERS, search, validation_score
from relatask.shards.shard import Shard, ShardData
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset
from tests.helpers.training_results import Killed

SPACE = {
    "encoder_options.width": {"least": 4, "greatest": 32, "log": True},
    "training.learning_rate": {"least": 0.001, "greatest": 0.1, "log": True},
    "training.weight_decay": {"values": [0.0, 0.001]},
}


def searched(trials: int = 8, sampler: str = "tpe", **changes) -> RunSpec:
    how = {"split": "scaffold", "seed": 0, "trials": trials, "sampler": sampler, "draws": 0, "space": SPACE}
    return make_spec(search=how, **changes)


def write_small(study: Path, change=None) -> Path:
    """A data set in which `change` was done to the labels of the test fold."""
    labels = random_labels(60, 3)
    folds = np.array((["train", "train", "train", "valid", "test"] * 12)[:60])
    if change is not None:
        labels[folds == "test"] = change(labels[folds == "test"])
    return write_dataset(study / "data" / "small", labels)


def run_step(study: Path, spec: RunSpec) -> pd.DataFrame:
    manifest = study / in_study("shard_manifest", shard="00000")
    write_text(manifest, shard_manifest([spec], "study"))
    out = study / in_study("trials", dataset="small", label=spec.label, scheme="scaffold", seed="0")
    arguments = ["--manifest", str(manifest), "--label", spec.label, "--split", "scaffold", "--seed", "0"]

    assert main(["search_settings", *arguments, "--device", "cpu", "--out", str(out)]) == 0
    return read_table("trials", out)


def train(study: Path, spec: RunSpec) -> Path:
    """Train a run and return its entry."""
    shard = Shard("00001", study, ShardData(study / "data" / "small", torch.device("cpu")), "all")
    shard.train([spec])
    return shard.journal.predictions_path(spec).parent


def scores(entry: Path, fold: str) -> pd.Series:
    table = read_table("predictions", entry / "predictions.parquet")
    return table[table["fold"] == fold].astype({"task_id": str}).set_index(["item_id", "task_id"])["score"]


def without_seconds(trials: pd.DataFrame) -> str:
    return trials.drop(columns="seconds").to_csv()


def test_labels_of_the_test_fold_change_no_bit_of_what_is_chosen(tmp_path: Path) -> None:
    found = []
    for name, change in (("plain", None), ("flipped", lambda labels: 1 - labels)):
        write_small(tmp_path / name, change)
        found.append(run_step(tmp_path / name, searched()))
    assert without_seconds(found[0]) == without_seconds(found[1])
    assert found[0]["chosen"].sum() == 1
    assert found[0]["settings"].nunique() == 8


def test_a_trial_predicts_validation_alone_and_the_row_has_the_best_settings(
    tmp_path: Path,
) -> None:
    write_small(tmp_path)
    spec = searched()
    trials = run_step(tmp_path, spec)
    best = trials[trials["chosen"]].iloc[0]
    assert best["score"] == trials["score"].max() > trials["score"].iloc[0]
    trial = tmp_path / "runs" / best["run_id"]
    assert set(read_table("predictions", trial / "predictions.parquet")["fold"]) == {"valid"}
    assert not (trial / "model").exists()
    entry = train(tmp_path, spec)
    assert entry.name == spec.run_id
    pd.testing.assert_series_equal(scores(entry, "valid"), scores(trial, "valid"))
    plain = replace(spec.with_settings(json.loads(best["settings"])), search=None)
    pd.testing.assert_series_equal(scores(entry, "test"), scores(train(tmp_path, plain), "test"))
    assert set(read_table("history", entry / "history.parquet")["run_id"]) == {spec.run_id}
    model = load_model(entry / "model", torch.device("cpu"))
    assert model.record.spec.encoder.options["width"] == json.loads(best["settings"])["encoder_options.width"]


def test_a_row_is_trained_anew_where_another_choice_was_made(tmp_path: Path) -> None:
    write_small(tmp_path)
    spec = searched(trials=3)
    trials = run_step(tmp_path, spec)
    entry = train(tmp_path, spec)
    first = scores(entry, "test")
    trials["chosen"] = ~trials["chosen"] & (trials["trial"] == trials.loc[~trials["chosen"], "trial"].min())
    path = tmp_path / in_study("trials", dataset="small", label=spec.label, scheme="scaffold", seed="0")
    write_table("trials", trials, path)
    assert not scores(train(tmp_path, spec), "test").equals(first)
    write_table("trials", trials[:2], path)
    with pytest.raises(RelataskError, match="is of another search than the plan's"):
        train(tmp_path, spec)


def test_a_search_that_was_killed_asks_for_the_same_again(tmp_path: Path) -> None:
    """Also one with more trials: those of the shorter search are found in the journal."""
    spec = searched()

    def outcome(trial: RunSpec) -> tuple[pd.DataFrame, float]:
        value = trial.encoder.options["width"] * trial.training["learning_rate"]
        rng = np.random.default_rng(int(1e6 * value))
        rows = {"run_id": trial.run_id, "fold": "valid", "item_id": range(40), "task_id": "a"}
        return pd.DataFrame({**rows, "label": np.arange(40.0) % 2, "score": rng.random(40)}), 1.0

    asked: list[list[str]] = [[], []]

    def killed(trial: RunSpec) -> tuple[pd.DataFrame, float]:
        if len(asked[0]) == 5:
            raise Killed
        asked[0].append(trial.run_id)
        return outcome(trial)

    def again(trial: RunSpec) -> tuple[pd.DataFrame, float]:
        asked[1].append(trial.run_id)
        return outcome(trial)

    whole = search(spec, outcome, {"a": "binary"})
    with pytest.raises(Killed):
        search(spec, killed, {"a": "binary"})
    assert (
        search(searched(trials=12), again, {"a": "binary"})[:8]
        .drop(columns="chosen")
        .equals(whole.drop(columns="chosen"))
    )
    assert asked[1][:5] == asked[0]
    assert asked[1][:8] == whole["run_id"].tolist()


def test_samplers_differ_and_a_small_space_is_exhausted_and_no_more(tmp_path: Path) -> None:
    def outcome(trial: RunSpec) -> tuple[pd.DataFrame, float]:
        assert trial.run_id not in asked
        asked.add(trial.run_id)
        rows = {"run_id": trial.run_id, "fold": "valid", "item_id": [0, 1], "task_id": "a"}
        return pd.DataFrame({**rows, "label": [0.0, 1.0], "score": [0.2, 0.1]}), 1.0

    tried = {}
    for sampler in SAMPLERS:
        asked: set[str] = set()
        tried[sampler] = search(searched(12, sampler), outcome, {"a": "binary"})["settings"].tolist()
    assert tried["tpe"] != tried["random"]
    asked = set()
    small = searched(6)
    space = {"training.weight_decay": SPACE["training.weight_decay"]}
    small = replace(small, search={**small.search, "space": space})
    trials = search(small, outcome, {"a": "binary"})
    assert (len(trials), trials["settings"].nunique(), trials["chosen"].argmax()) == (6, 2, 0)


def test_a_trial_that_diverged_is_told_and_what_else_fails_stops_the_search(tmp_path: Path) -> None:
    def outcome(trial: RunSpec) -> tuple[pd.DataFrame, float]:
        if trial.training["learning_rate"] > 0.01:
            raise error("the loss is nan.")
        rows = {"run_id": trial.run_id, "fold": "valid", "item_id": [0, 1], "task_id": "a"}
        return pd.DataFrame({**rows, "label": [0.0, 1.0], "score": [0.1, 0.2]}), 1.0

    error: type[Exception] = DivergedError
    trials = search(searched(16), outcome, {"a": "binary"})
    failed = trials[trials["score"].isna()]
    assert 0 < len(failed) < 16
    assert set(failed["reason"]) == {"the loss is nan"}
    error = OSError
    with pytest.raises(OSError, match="the loss is nan"):
        search(searched(16), outcome, {"a": "binary"})


def test_a_diverged_run_of_a_shard_is_known_as_such(tmp_path: Path) -> None:
    write_small(tmp_path)
    with pytest.raises(DivergedError, match=r"1 of 1 runs failed: .* diverged in epoch"):
        train(tmp_path, make_spec(training={"learning_rate": 1e30, "epochs": 20}))


def test_validation_is_measured_by_kind_and_undefined_tasks_are_left_out() -> None:
    rows = [("a", 0, 0.1), ("a", 1, 0.9), ("b", 1, 0.9), ("r", 1.0, 3.0), ("r", 2.0, 1.0)]
    table = pd.DataFrame(rows, columns=["task_id", "label", "score"]).astype({"label": float})
    table = table.assign(run_id="x", fold="valid", item_id=range(len(table)))
    kinds = {"a": "binary", "b": "binary", "r": "real"}
    assert validation_score(table, kinds) == pytest.approx((1.0 + 0.0) / 2)  # R2 of r is below 0
    assert validation_score(table[table["task_id"] == "b"], {"b": "binary"}) is None
    assert validation_score(table.assign(fold="test"), kinds) is None
