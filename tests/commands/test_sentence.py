"""The sentence that a study ends with: which differences are named, and in which words."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from relatask.__main__ import main
from relatask.commands import _sentence
from relatask.config import StudyAtScale, StudyConfig, parse
from relatask.core.files import write_json, write_text
from relatask.core.layout import in_study
from relatask.core.tables import write_table
from relatask.data.splits import whole_items
from relatask.plan.plan import plan_runs
from relatask.steps import plan_runs as plan_step

STUDY = {
    "title": "t",
    "sources": {"s": {"reader": "planted"}},
    "datasets": {"d": {"source": "s"}},
    "splits": {"schemes": ["random"]},
    "methods": [
        {"label": "RF", "method": "random_forest"},
        {"label": "alone", "method": "single_task", "encoder": "fingerprint_mlp"},
        {"label": "shared", "method": "shared_bottom", "encoder": "fingerprint_mlp"},
    ],
    "baseline": "RF",
    "scales": {"quick": {"seeds": [0, 1, 2]}},
}
MEANS = {"RF": 0.7, "alone": 0.75, "shared": 0.8}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, list[Path]]]:
    """Folders that models were written to, and the models."""
    found: list[tuple[Path, list[Path]]] = []
    monkeypatch.setattr(
        "relatask.models.ensemble_folder.write_ensemble",
        lambda folder, members, facts, files: found.append((folder, list(members))),
    )
    monkeypatch.setattr("relatask.commands._kept.kept_files", lambda *_: {})  # there are no predictions
    return found


def finished(results: Path, tested: Sequence[int], validated: Sequence[int] = (4, 5, 6)) -> Path:
    """A study whose methods are apart by 0.05 and a little noise; each seed tests and validates an item."""
    chosen = StudyAtScale("t", "quick", parse(StudyConfig, STUDY, "study"))
    folder = results / "t"
    write_text(folder / in_study("study"), chosen.text())
    values = {"study": folder / in_study("study"), "shard_minutes": 1.0, "max_shards": 100}
    plan_step.run(Namespace(**values, out=folder / in_study("plan")))
    rng = np.random.default_rng(0)
    rows = [
        {"run_id": run.spec.run_id, "task_id": task, "value": MEANS[run.spec.label] + 0.0001 * rng.normal()}
        for run in plan_runs(chosen.study, "quick")
        for task in "ab"
    ]
    metrics = pd.DataFrame(rows).assign(fold="test", metric="roc_auc", n=9, n_pos=4, reason=None)
    write_table("metrics", metrics, folder / in_study("metrics"))
    for seed, file in enumerate(chosen.data_records()[-3:]):
        folds = np.zeros(9, np.int64)
        folds[[validated[seed], tested[seed]]] = 1, 2
        write_table(
            "split",
            whole_items(pd.DataFrame({"item_id": np.arange(9)}), folds),
            (results / file).with_suffix(".parquet"),
        )
        write_json(results / file, {"folds": {"train": {"labels": 60}, "test": {"labels": 20}}})
    return folder


def test_the_sentence_names_winner_margins_verdicts_model_and_table(
    tmp_path: Path, kept: list[tuple[Path, list[Path]]]
) -> None:
    said = _sentence.sentence_of(finished(tmp_path / "results", [1, 2, 3]), Path("models/t"))
    assert said.startswith("shared is best: ROC-AUC 0.800")
    assert "over 3 splits, +0.050 " in said
    assert "to the runner-up alone (better, 95 % interval +0.0" in said
    assert "to the baseline RF (better, 95 % interval +0.1" in said
    assert "learning together helped (shared +0.050 to alone" in said
    assert said.endswith(f"its model is models/t. Table: {tmp_path}/results/t/tables/main.md.")
    ((folder, members),) = kept
    assert folder == Path("models/t")
    assert len(members) == 3
    assert {member.name for member in members} == {"model"}


def test_what_cannot_end_in_a_sentence_and_a_model_is_refused_before_it_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tasks without a measure would be left out of the verdict without a word."""
    ran: list[str] = []
    monkeypatch.setattr("relatask.commands.train.run_workflow", lambda *_: ran.append("workflow"))
    file = tmp_path / "t.yaml"
    file.write_text(yaml.safe_dump({**STUDY, "metrics": ["average_precision"]}))
    assert main(["train", str(file)]) == 2
    assert "metrics: relatask train compares labels of 0 and 1 by roc_auc" in capsys.readouterr().err
    file.write_text(yaml.safe_dump(STUDY))
    assert main(["train", str(file), "-o", str(tmp_path)]) == 2
    assert f"{tmp_path} is there and holds no model of relatask" in capsys.readouterr().err
    assert ran == []


@pytest.mark.parametrize("validated", [(4, 4, 4), (4, 5, 6)])
def test_trainings_that_are_tested_on_the_same_items_are_one_look_and_no_test(
    tmp_path: Path, kept: list[tuple[Path, list[Path]]], validated: tuple[int, ...]
) -> None:
    """Whether random numbers alone or validation differ, they say nothing of other molecules."""
    folder = finished(tmp_path / "results", [1, 1, 1], validated)
    said = _sentence.sentence_of(folder, Path("models/t"))
    assert "over 1 split, +0.050 " in said
    assert "to the runner-up alone (undecided)" in said
    assert "learning together made no difference that can be told (shared +0.050 to alone" in said
    assert len(kept[0][1]) == 3


def test_seeds_beyond_the_folds_of_a_file_are_further_looks_at_these(
    tmp_path: Path, kept: list[tuple[Path, list[Path]]]
) -> None:
    said = _sentence.sentence_of(finished(tmp_path / "results", [1, 2, 1]), Path("models/t"))
    assert "over 2 splits, +0.050 " in said
    assert len(kept[0][1]) == 3
