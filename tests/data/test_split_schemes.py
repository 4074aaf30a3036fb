"""Schemes that are not drawn item by item: a user's column, time, groups, cross-validation, hidden labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.core.plugins import scheme_records
from relatask.core.tables import write_table
from relatask.data.prepared import PreparedDataset
from relatask.data.splits import FOLDS, describe_split, split_digest, split_items
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.run import inputs_of, train_run
from tests.helpers.data_tables import labels_table, write_records
from tests.helpers.prepared_dataset import combinations, make_spec, random_labels, write_dataset

FRACTIONS = (0.6, 0.2, 0.2)


def items(n: int = 50, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"item_id": np.arange(n), **columns})


def labels(n: int = 50, tasks: int = 3) -> pd.DataFrame:
    row, column = np.nonzero(np.random.default_rng(0).random((n, tasks)) < 0.7)
    return labels_table(row, np.array(["a", "b", "c"])[column], row % 2)


def folds_of(scheme: str, frame: pd.DataFrame, seed: int = 0, **options: Any) -> list[str]:
    return split_items(frame, labels(len(frame)), scheme, seed, FRACTIONS, options)["fold"].tolist()


def test_every_scheme_says_what_it_does_and_is_found() -> None:
    records = scheme_records()
    assert {"random", "scaffold", "stratified", "cells", "chronological", "given", "grouped"} <= set(records)
    assert all(record.summary for record in records.values())
    with pytest.raises(RelataskError, match=r"no split scheme 'scafold'. Did you mean 'scaffold'"):
        split_items(items(), labels(), "scafold", 0, FRACTIONS)


def test_a_column_of_the_user_says_the_folds() -> None:
    said = ["train"] * 6 + ["Valid", " test", None, "hidden"]
    found = folds_of("column", items(10, mine=said), column="mine")
    assert found == ["train"] * 6 + ["valid", "test", "hidden", "hidden"]
    with pytest.raises(RelataskError, match=r"the column 'mine' says 'tset' \(1 x\), which are no folds"):
        folds_of("column", items(10, mine=[*said[:7], "tset", *said[8:]]), column="mine")
    with pytest.raises(RelataskError, match="reads the column 'other' of the items, which their source does"):
        folds_of("column", items(10), column="other")
    with pytest.raises(RelataskError, match=r"splits\.column: the scheme time needs the name of a column"):
        folds_of("time", items(10))


@pytest.mark.parametrize("times", [[f"2020-01-{day:02}" for day in range(1, 11)], [*map(str, range(1, 11))]])
def test_the_oldest_items_train_and_the_newest_test(times: list[str]) -> None:
    order = np.random.default_rng(0).permutation(10)
    found = np.array(folds_of("time", items(10, when=np.array(times)[order]), column="when"), object)
    assert found[np.argsort(order)].tolist() == ["train"] * 6 + ["valid"] * 2 + ["test"] * 2
    with pytest.raises(RelataskError, match="says 'soon', which is neither a number nor a date"):
        folds_of("time", items(10, when=[*times[:9], "soon"]), column="when")


def test_every_item_is_tested_once_in_a_repeat_and_repeats_differ() -> None:
    found = np.array([folds_of("cross_validation", items(50), seed, n_folds=5) for seed in range(10)], object)
    for repeat in (found[:5], found[5:]):
        assert ((repeat == "test").sum(0) == 1).all()
        assert ((repeat == "valid").sum(0) == 1).all()
        assert ((repeat == "test").sum(1) == 10).all()
    assert (found[:5] != found[5:]).any()
    with pytest.raises(RelataskError, match=r"splits\.n_folds: it is from 3"):
        folds_of("cross_validation", items(50), n_folds=2)


def test_by_labels_a_rare_task_has_both_classes_in_each_fold_of_a_repeat() -> None:
    matrix = np.random.default_rng(0).random((200, 3)) < [0.03, 0.5, 0.97]
    row, column = np.indices(matrix.shape).reshape(2, -1)
    table = labels_table(row, np.array(["a", "b", "c"])[column], matrix.ravel().astype(float))
    rarer = np.minimum(matrix.sum(0), (~matrix).sum(0))
    assert rarer.min() < 10  # chance would leave some fold without one
    for scheme, options in (("cross_validation", {"by": "labels"}), ("cross_validation", {})):
        tested = np.array(
            [
                split_items(items(200), table, scheme, seed, FRACTIONS, options)["fold"] == "test"
                for seed in range(10)
            ]
        )
        assert (tested[:5].sum(0) == 1).all()
        assert (tested[5:].sum(0) == 1).all()
        assert (tested.sum(1) == 40).all()
        with_both = [min(matrix[one].sum(0).min(), (~matrix)[one].sum(0).min()) > 0 for one in tested]
        assert all(with_both) == bool(options)


def test_only_a_share_of_the_training_labels_of_each_task_is_kept() -> None:
    frame, table = items(200), labels(200)
    split = split_items(frame, table, "masked", 0, FRACTIONS, {"labels_kept": 0.1})
    whole, hidden = split[split["task_id"].isna()], split[split["task_id"].notna()]
    assert whole["fold"].tolist() == split_items(frame, table, "random", 0, FRACTIONS)["fold"].tolist()
    training = table[table["item_id"].isin(whole["item_id"][whole["fold"] == "train"])]
    kept = training.groupby("task_id").size() - hidden.groupby("task_id").size()
    assert kept.tolist() == np.ceil(0.1 * training.groupby("task_id").size()).tolist()
    assert set(hidden["fold"]) == {"hidden"}
    counts = describe_split(split, table)["folds"]
    assert counts["train"]["labels"] == kept.sum()
    again = split_items(
        frame, table.sample(frac=1, random_state=1), "masked", 0, FRACTIONS, {"labels_kept": 0.1}
    )
    assert split_digest(again) == split_digest(split)


def test_partially_masked_tasks_are_drawn_and_the_others_keep_their_labels() -> None:
    frame, table = items(200), labels(200)
    drawn = []
    for seed in range(12):
        options = {"labels_kept": 0.1, "masked_tasks": 0.5}
        part = split_items(frame, table, "masked", seed, FRACTIONS, options)
        every = split_items(frame, table, "masked", seed, FRACTIONS, {"labels_kept": 0.1})
        hidden = {task: rows["item_id"].tolist() for task, rows in part.groupby("task_id", observed=True)}
        of_all = {task: rows["item_id"].tolist() for task, rows in every.groupby("task_id", observed=True)}
        assert hidden == {task: of_all[task] for task in hidden}  # a masked task loses what it loses in "all"
        assert len(hidden) == 2  # of 3, halves upwards
        drawn.append(frozenset(hidden))
    assert len(set(drawn)) == 3


def test_the_draws_of_masked_splits_stay_as_they_were() -> None:
    split = split_items(items(200), labels(200), "masked", 1, FRACTIONS, {"labels_kept": 0.1})
    assert split_digest(split).startswith("f41c4b49a64b2837")


def test_a_small_share_of_few_tasks_masks_one() -> None:
    options = {"labels_kept": 0.1, "masked_tasks": 0.1}  # of 3 tasks, rounded to none
    split = split_items(items(200), labels(200), "masked", 0, FRACTIONS, options)
    assert split["task_id"].dropna().nunique() == 1


def masked(folder: Path, matrix: np.ndarray) -> pd.DataFrame:
    """A data set with a split that hides an item of each fold and half of the training labels.

    One task has no label left, one only labels of one class.
    """
    write_dataset(folder, matrix)
    whole = pd.read_parquet(folder / "splits" / "scaffold-0.parquet").astype({"fold": str})
    whole.loc[[0, 3, 4], "fold"] = "hidden"
    names = pd.read_parquet(folder / "labels.parquet").astype({"task_id": str})
    training = names[names["item_id"].isin(whole["item_id"][whole["fold"] == "train"])]
    of_one_class = (training["task_id"] == "task1") & (matrix[training["item_id"], 1] == 1)
    chosen = (np.arange(len(training)) % 2 == 0) | (training["task_id"] == "task0") | of_one_class
    rows = training.loc[chosen, ["item_id", "task_id"]].assign(fold="hidden")
    split = pd.concat([whole, rows], ignore_index=True)
    write_table("split", split, folder / "splits" / "masked-0.parquet")
    write_records(folder)
    return split


def test_hidden_labels_are_missing_and_hidden_items_are_in_no_fold(tmp_path: Path) -> None:
    matrix = random_labels(60, 4)
    split = masked(tmp_path, matrix)
    data = PreparedDataset.load(tmp_path, "masked-0", inputs="none")
    hidden = split[split["fold"] == "hidden"]
    items_hidden = hidden["item_id"][hidden["task_id"].isna()]
    assert data.labels[items_hidden.to_numpy()].isnan().all()
    assert not set(items_hidden) & {row for rows in data.folds.values() for row in rows.tolist()}
    for _, row in hidden[hidden["task_id"].notna()].iterrows():
        assert data.labels[row["item_id"], data.task_ids.index(row["task_id"])].isnan()
    assert data.cell_folds is None
    plain = PreparedDataset.load(tmp_path, "scaffold-0", inputs="none")
    np.testing.assert_array_equal(plain.labels, matrix)
    assert int(data.labels.isnan().sum()) > int(plain.labels.isnan().sum())
    back = data.with_split(tmp_path, "scaffold-0")
    np.testing.assert_array_equal(back.labels, matrix)
    np.testing.assert_array_equal(plain.with_split(tmp_path, "masked-0").labels, data.labels)


@pytest.mark.parametrize(("method", "encoder"), [pair for pair in combinations() if pair[1] != "gin"])
def test_hidden_labels_change_no_number_of_any_method(
    tmp_path: Path, method: str, encoder: str | None
) -> None:
    matrix = random_labels(60, 4)
    split = masked(tmp_path / "first", matrix)
    of_cell = split[(split["fold"] == "hidden") & split["task_id"].notna()]
    changed = matrix.copy()
    changed[split["item_id"][(split["fold"] == "hidden") & split["task_id"].isna()]] = 1
    for _, row in of_cell.iterrows():
        changed[row["item_id"], int(row["task_id"][4:])] = 1
    changed[np.isnan(matrix)] = np.nan
    masked(tmp_path / "second", changed)
    spec = make_spec(method, encoder, split="masked", training={"epochs": 1} if encoder else {})
    found = [
        train_run(
            spec,
            PreparedDataset.load(tmp_path / name, "masked-0", inputs=inputs_of(spec)),
            Checkpoint(tmp_path / f"{name}.pt", ""),
            lambda share, text: None,
            keep_weights=False,
        ).predictions
        for name in ("first", "second")
    ]
    assert found[0].equals(found[1])
    assert set(found[0]["fold"]) <= {*FOLDS}
