"""The sentence that a study ends with: which differences are named, and in which words."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.commands import _sentence
from relatask.config import StudyAtScale, StudyConfig, parse
from relatask.core.files import write_json, write_text
from relatask.core.layout import in_study
from relatask.core.tables import write_table
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
        "relatask.models.ensemble.write_ensemble",
        lambda folder, members, facts: found.append((folder, list(members))),
    )
    return found


def finished(results: Path, one_split: bool, one_test: bool = False) -> Path:
    """A study whose three methods are apart by 0.05 and a little noise, on splits that differ or do not.

    With `one_test` they differ in what is trained on and not in what is tested.
    """
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
        folds = {"train": {"items": 60}, "test": {"items": 20}}
        write_json(results / file, {"digest": "x" if one_split else str(seed), "folds": folds})
        split = pd.DataFrame({"item_id": range(9), "task_id": None, "fold": "train"})
        split.loc[0, "fold"] = "valid" if seed else "train"
        split.loc[1 if one_test else seed + 1, "fold"] = "test"
        write_table("split", split, (results / file).with_suffix(".parquet"))
    return folder


def test_the_sentence_names_winner_margins_verdicts_model_and_table(
    tmp_path: Path, kept: list[tuple[Path, list[Path]]]
) -> None:
    said = _sentence.sentence_of(finished(tmp_path / "results", False), Path("models/t"))
    assert said.startswith("shared is best: ROC-AUC 0.800")
    assert "over 3 splits, +0.050 " in said
    assert "to the runner-up alone (better, p " in said
    assert "to the baseline RF (better, p " in said
    assert "learning together helped (shared +0.050 to alone" in said
    assert said.endswith(f"its model is models/t. Table: {tmp_path}/results/t/tables/main.md.")
    ((folder, members),) = kept
    assert folder == Path("models/t")
    assert len(members) == 3
    assert {member.name for member in members} == {"model"}


@pytest.mark.parametrize("one_split", [True, False])
def test_trainings_tested_on_the_same_items_are_one_look_and_no_test(
    tmp_path: Path, kept: list[tuple[Path, list[Path]]], one_split: bool
) -> None:
    """They differ by their random numbers, or by what validates, and say nothing of other molecules."""
    said = _sentence.sentence_of(finished(tmp_path / "results", one_split, True), Path("models/t"))
    assert "over 1 split, +0.050 " in said
    assert "to the runner-up alone (not told apart)" in said
    assert "learning together made no difference that can be told (shared +0.050 to alone" in said
    assert len(kept[0][1]) == 3
