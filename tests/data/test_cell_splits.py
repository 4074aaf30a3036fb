"""Cells are split class by class of each task; a split of other data is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.core.files import read_json
from relatask.core.tables import write_table
from relatask.data.prepared_tables import NOWHERE, read_split
from relatask.data.splits import describe_split
from relatask.data.splits.cells import split_cells
from relatask.steps import split_items as step
from tests.helpers.prepared_dataset import write_dataset

FRACTIONS = (0.8, 0.1, 0.1)


def cells_of(path: Path, item_ids: np.ndarray, task_ids: list[str], labels: np.ndarray) -> np.ndarray:
    cells = read_split(path, item_ids, task_ids, labels).cells
    assert cells is not None
    return cells


def table(n: int = 400, tasks: int = 3, seed: int = 0) -> pd.DataFrame:
    """Labels of which two thirds are there, 30 % of them active."""
    rng = np.random.default_rng(seed)
    row, column = np.nonzero(rng.random((n, tasks)) < 2 / 3)
    label = (rng.random(len(row)) < 0.3).astype(np.float32)
    return pd.DataFrame({"item_id": row, "task_id": [f"t{task}" for task in column], "value": label})


def shares(labels: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    cells = split.astype({"task_id": str, "fold": str}).merge(labels, on=["item_id", "task_id"])
    return cells.groupby(["task_id", "value"])["fold"].value_counts(normalize=True).unstack()


def test_each_class_of_each_task_is_split_by_the_fractions():
    labels = table()
    split = split_cells(labels, 0, FRACTIONS)
    assert len(split) == len(labels)
    assert not split.duplicated(["item_id", "task_id"]).any()
    found = shares(labels, split)
    assert len(found) == 6
    smallest = labels.groupby(["task_id", "value"]).size().min()
    for fold, fraction in zip(("train", "valid", "test"), FRACTIONS, strict=True):
        assert (found[fold] - fraction).abs().max() <= 1 / smallest + 1e-9


def test_rare_classes_are_split_by_the_fractions_on_average():
    three = pd.DataFrame({"item_id": range(40), "task_id": "t", "value": [1.0] * 3 + [0.0] * 37})
    counts = [
        split_cells(three, seed, FRACTIONS).query("item_id < 3")["fold"].value_counts() for seed in range(400)
    ]
    test = np.mean([count["test"] for count in counts])
    assert test == pytest.approx(0.3, abs=0.08)


def test_the_seed_and_nothing_else_decides():
    labels = table()
    first = split_cells(labels, 1, FRACTIONS)
    again = split_cells(labels.sample(frac=1, random_state=2), 1, FRACTIONS)
    other = split_cells(labels, 2, FRACTIONS)
    assert first.equals(again)
    digests = [describe_split(split, labels)["digest"] for split in (first, again, other)]
    assert digests[0] == digests[1] != digests[2]


def test_folds_are_counted_and_molecules_that_nothing_is_known_of():
    labels = pd.DataFrame({"item_id": [0, 0, 1, 2], "task_id": ["a", "b", "a", "b"], "value": [1, 0, 0, 1]})
    split = labels[["item_id", "task_id"]].assign(fold=["train", "test", "test", "valid"])
    counts = describe_split(split, labels)["folds"]
    assert counts["test"] == {
        "items": 2,
        "labels": 2,
        "tasks_with_both_classes": 0,
        "items_without_a_training_label": 1,
    }
    assert counts["valid"]["items_without_a_training_label"] == 1
    assert counts["train"]["labels"] == 1


def test_the_step_writes_what_is_read(tmp_path: Path):
    labels = np.where(np.random.default_rng(0).random((50, 3)) < 0.5, 1.0, np.nan).astype(np.float32)
    labels[:20] = 0
    folder = write_dataset(tmp_path / "made", labels)
    out = folder / "splits" / "cells-4.parquet"
    parser = step.argparse.ArgumentParser()
    step.configure(parser)
    files = ["--items", str(folder / "items.parquet"), "--labels", str(folder / "labels.parquet")]
    step.run(parser.parse_args([*files, "--scheme", "cells", "--seed", "4", "--out", str(out)]))
    found = cells_of(out, np.arange(50), ["task0", "task1", "task2"], labels)
    assert ((found == NOWHERE) == np.isnan(labels)).all()
    record = read_json(out.with_suffix(".json"))
    assert record["scheme"] == "cells"
    assert record["folds"]["test"]["labels"] == (found == 2).sum()
    some = cells_of(out, np.arange(50), ["task2"], labels[:, 2:])
    assert (some[:, 0] == found[:, 2]).all()


@pytest.mark.parametrize("damage", ["lacks a cell", "has a cell twice", "unknown fold", "another molecule"])
def test_a_split_of_other_data_is_refused(tmp_path: Path, damage: str):
    labels = table()
    split = split_cells(labels, 0, FRACTIONS).astype({"task_id": str, "fold": str})
    dense = labels.pivot(index="item_id", columns="task_id", values="value").reindex(range(400)).to_numpy()
    if damage == "lacks a cell":
        split = split.iloc[1:]
    elif damage == "has a cell twice":
        split = pd.concat([split, split.iloc[:1]])
    elif damage == "unknown fold":
        split.loc[0, "fold"] = "later"
    else:
        split.loc[0, "item_id"] = 400
    write_table("split", split, tmp_path / "cells-0.parquet")
    said = {"unknown fold": "has the fold 'later'", "another molecule": "names item_id 400"}
    with pytest.raises(
        RelataskError, match=said.get(damage, r"not put each labelled cell .* step split_items")
    ):
        cells_of(tmp_path / "cells-0.parquet", np.arange(400), ["t0", "t1", "t2"], dense)


def test_too_few_cells_are_refused():
    labels = pd.DataFrame({"item_id": [0, 1], "task_id": "t", "value": [1.0, 1.0]})
    with pytest.raises(RelataskError, match="split of 2 cells leaves the fold"):
        split_cells(labels, 0, FRACTIONS)
