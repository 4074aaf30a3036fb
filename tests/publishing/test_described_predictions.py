"""Predictions as people read them name the molecule, task, method, split and seed of each row."""

import argparse
from pathlib import Path

import pandas as pd
import pytest

from relatask.core.tables import read_table, write_table
from relatask.publishing.described_predictions import described_predictions
from relatask.steps import describe_predictions as step
from tests.helpers.study_tables import TASKS, make_plan, write_dataset

SMILES = ["CCO", "c1ccccc1", "=O not a molecule"]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two methods, one of which is of another data set, on three items."""
    plan = pd.concat([make_plan(["STL"], seeds=(0, 1)), make_plan(["MTL"], ["other"], seeds=(0,))])
    write_table("plan", plan, tmp_path / "plan.parquet")
    folder = tmp_path / "data" / "toy"
    write_dataset(folder, TASKS, seeds=(0,), names=["=A1"] * len(TASKS))
    items = pd.DataFrame({"item_id": [5, 7, 9], "source_id": ["a", None, "c"], "level": "molecule"})
    items["parent"] = pd.Series([None] * 3, dtype="Int32")
    write_table("items", items.assign(smiles=SMILES), folder / "items.parquet")
    rows = [
        (run, fold, item, TASKS[0], 1.0, 0.25 * place)
        for run in plan["run_id"]
        for place, (fold, item) in enumerate([("test", 9), ("test", 5), ("valid", 7)])
    ]
    columns = ["run_id", "fold", "item_id", "task_id", "label", "score"]
    write_table("predictions", pd.DataFrame(rows, columns=columns), tmp_path / "predictions.parquet")
    return tmp_path


def test_each_row_says_what_it_is_of_and_rows_keep_their_order(study: Path) -> None:
    parquet, csv = study / "tables" / "p.parquet", study / "tables" / "p.csv"
    arguments = step_arguments(study, parquet, csv)
    step.run(arguments)
    found = read_table("described_predictions", parquet).astype({"smiles": str, "task": str, "method": str})
    assert found["smiles"].tolist() == [SMILES[2], SMILES[0], SMILES[1]] * 2
    assert found["seed"].tolist() == [0] * 3 + [1] * 3
    assert found["score"].tolist() == [0, 0.25, 0.5] * 2
    assert set(found["task"]) == {"=A1"}
    assert set(found["method"]) == {"STL"}
    text = pd.read_csv(csv)
    assert text.columns.tolist() == found.columns.tolist()
    assert text["smiles"].iloc[0] == f"'{SMILES[2]}"  # no formula of a spreadsheet
    assert text["score"].tolist() == found["score"].tolist()


def test_the_parts_that_a_long_table_comes_in_make_one_table(study: Path) -> None:
    parts = list(described_predictions(study, "toy", rows=1))
    assert [len(part) for part in parts] == [3, 3]
    whole = pd.concat(described_predictions(study, "toy"))
    assert pd.concat(parts)["score"].tolist() == whole["score"].tolist()
    csv = study / "tables" / "p.csv"
    step.run(step_arguments(study, csv))
    assert len(csv.read_text().splitlines()) == 7  # one header


def test_items_without_smiles_and_episodes_without_a_task_are_told_by_what_they_have(study: Path) -> None:
    folder = study / "data" / "toy"
    items = read_table("items", folder / "items.parquet").drop(columns="smiles")
    write_table("items", items, folder / "items.parquet")
    tasks = read_table("tasks", folder / "tasks.parquet")
    write_table("tasks", tasks.iloc[1:], folder / "tasks.parquet")
    out = study / "p.parquet"
    step.run(step_arguments(study, out))
    found = read_table("described_predictions", out)
    assert found["smiles"].isna().all()
    assert found["task"].astype(str).unique().tolist() == [TASKS[0]]


def step_arguments(study: Path, *out: Path) -> argparse.Namespace:

    parser = argparse.ArgumentParser()
    step.configure(parser)
    return parser.parse_args(["--study", str(study), "--dataset", "toy", "--out", *map(str, out)])
