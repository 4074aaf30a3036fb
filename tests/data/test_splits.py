"""Splits: exact sizes, whole scaffolds, both classes, and seeds that matter."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table, write_table
from relatask.data import splits
from relatask.data.splits import FOLDS, describe_split, fold_sizes, split_digest, split_items
from tests.helpers.data_tables import items_table

FRACTIONS = (0.8, 0.1, 0.1)


def molecules_of(scaffolds):
    return pd.DataFrame({"item_id": np.arange(len(scaffolds), dtype=np.int32), "scaffold": list(scaffolds)})


def labels_of(matrix):
    """Labels of a float array [molecules, tasks], NaN = missing."""
    rows, tasks = np.nonzero(~np.isnan(matrix))
    names = [f"t{task}" for task in range(matrix.shape[1])]
    return pd.DataFrame(
        {
            "item_id": rows.astype(np.int32),
            "task_id": pd.Categorical.from_codes(tasks, names),
            "value": matrix[rows, tasks].astype(np.float32),
        }
    )


NO_LABELS = labels_of(np.empty((0, 1)))


def sizes(split):
    return [int((split.fold == fold).sum()) for fold in FOLDS]


@pytest.mark.parametrize(
    ("n", "expected"),
    [(13_004, [10_404, 1300, 1300]), (932, [746, 93, 93]), (518, [416, 51, 51])],
)
def test_folds_have_the_sizes_that_the_authors_of_sgnn_ebm_report(n, expected):
    assert fold_sizes(n, FRACTIONS).tolist() == expected
    for scheme in ("random", "stratified"):
        assert sizes(split_items(molecules_of([""] * n), NO_LABELS, scheme, 0, FRACTIONS)) == expected


def test_rounding_errors_take_no_molecule_from_a_fold():
    assert fold_sizes(100, (0.42, 0.29, 0.29)).tolist() == [42, 29, 29]  # 0.29 * 100 = 28.999...


def test_too_few_molecules_are_an_error_that_says_so():
    with pytest.raises(RelataskError, match="9 items are too few"):
        split_items(molecules_of([""] * 9), NO_LABELS, "random", 0, FRACTIONS)


def test_an_unknown_scheme_is_named():
    with pytest.raises(RelataskError, match=r"no split scheme 'scafold'\. Did you mean 'scaffold'"):
        split_items(molecules_of([""] * 99), NO_LABELS, "scafold", 0, FRACTIONS)


def test_a_scaffold_larger_than_half_a_fold_is_in_train_under_every_seed():
    scaffolds = ["big"] * 60 + ["half"] * 50 + [f"s{i % 200}" for i in range(890)]  # folds of 100
    places = set()
    for seed in range(20):
        fold = split_items(molecules_of(scaffolds), NO_LABELS, "scaffold", seed, FRACTIONS).fold
        assert set(fold[:60]) == {"train"}
        places.add(fold[60])
    assert places == {"train", "valid", "test"}  # a group of exactly half a fold is drawn like any other


def test_acyclic_molecules_are_drawn_one_by_one():
    scaffolds = [""] * 500 + [f"s{i}" for i in range(500)]
    split = split_items(molecules_of(scaffolds), NO_LABELS, "scaffold", 0, FRACTIONS)
    assert sizes(split) == [800, 100, 100]
    acyclic = [int((split.fold[:500] == fold).sum()) for fold in FOLDS]
    assert 30 <= acyclic[1] <= 70  # about half of each fold, not none
    assert 30 <= acyclic[2] <= 70


def test_when_all_scaffolds_are_large_each_fold_still_gets_some():
    scaffolds = [f"s{i % 10}" for i in range(1000)]  # ten of 100 each, folds of 100
    tests = set()
    for seed in range(10):
        split = split_items(molecules_of(scaffolds), NO_LABELS, "scaffold", seed, FRACTIONS)
        assert sizes(split) == [800, 100, 100]
        tests.update(split.item_id[split.fold == "test"] % 10)
    assert len(tests) > 3  # which of them is the test is drawn by the seed


def test_three_huge_scaffolds_still_give_three_folds():
    three = molecules_of([f"s{i % 3}" for i in range(300)])
    split = split_items(three, NO_LABELS, "scaffold", 0, FRACTIONS)
    assert sizes(split) == [100, 100, 100]


def test_one_scaffold_that_is_nearly_everything_is_in_train():
    for seed in range(5):
        data = molecules_of(["one"] * 98 + ["a", "b"])
        assert sizes(split_items(data, NO_LABELS, "scaffold", seed, FRACTIONS)) == [98, 1, 1]


def test_one_scaffold_for_all_molecules_is_an_error_that_says_what_to_do():
    with pytest.raises(RelataskError, match=r"leaves the fold .* holds 100 of 100.*use the scheme random"):
        split_items(molecules_of(["one"] * 100), NO_LABELS, "scaffold", 0, FRACTIONS)


@pytest.mark.parametrize("scheme", ["random", "scaffold", "stratified"])
def test_seeds_give_different_splits_and_the_same_seed_the_same_one(scheme):
    molecules = molecules_of([f"s{i % 150}" for i in range(600)])
    labels = labels_of(np.random.default_rng(0).integers(0, 2, (600, 5)).astype(float))
    digests = [split_digest(split_items(molecules, labels, scheme, seed, FRACTIONS)) for seed in range(8)]
    assert len(set(digests)) == 8
    again = split_items(molecules[::-1], labels.sample(frac=1, random_state=1), scheme, 7, FRACTIONS)
    assert split_digest(again) == digests[7]  # the order of the rows does not matter
    assert again.item_id.is_monotonic_increasing


def test_stratified_gives_a_rare_task_a_positive_and_a_negative_in_every_fold():
    matrix = np.full((1000, 2), np.nan)
    matrix[:, 0] = np.arange(1000) % 2
    matrix[:3, 1] = 1  # three positives and three negatives among a thousand molecules
    matrix[3:6, 1] = 0
    for seed in range(5):
        split = split_items(molecules_of([""] * 1000), labels_of(matrix), "stratified", seed, FRACTIONS)
        assert sorted(split.fold[:3]) == sorted(split.fold[3:6]) == sorted(FOLDS)
        assert sizes(split) == [800, 100, 100]


def test_stratified_places_a_task_that_is_nearly_all_active_before_a_common_one():
    matrix = np.full((300, 9), np.nan)
    matrix[:, :8] = np.random.default_rng(0).integers(0, 2, (300, 8))
    matrix[:, 8] = 1
    matrix[:3, 8] = 0  # its negatives are the rarest class, though it has most positives
    split = split_items(molecules_of([""] * 300), labels_of(matrix), "stratified", 0, FRACTIONS)
    assert sorted(split.fold[:3]) == sorted(FOLDS)


def test_the_description_counts_tasks_with_both_classes_per_fold():
    matrix = np.array([[0, 1], [1, 1], [0, np.nan], [1, np.nan], [0, 0]], dtype=float)
    split = pd.DataFrame(
        {
            "item_id": range(5),
            "task_id": None,
            "fold": pd.Categorical(["train", "train", "valid", "valid", "test"], FOLDS),
        }
    )
    record = describe_split(split, labels_of(matrix))
    assert record["tasks"] == 2
    assert record["folds"] == {
        "train": {"items": 2, "labels": 4, "tasks_with_both_classes": 1},
        "valid": {"items": 2, "labels": 2, "tasks_with_both_classes": 1},
        "test": {"items": 1, "labels": 2, "tasks_with_both_classes": 0},
    }
    lines = b"0 train\n1 train\n2 valid\n3 valid\n4 test\n"
    assert record["digest"] == hashlib.sha256(lines).hexdigest()


def test_a_digest_is_of_the_content_and_not_of_rows_or_categories():
    names = ["t10", "é", "a b", "unused"]
    cells = [
        (7, "t10", "test"),
        (7, "é", "train"),
        (7, "a b", "valid"),
        (12, None, "train"),
        (12, "é", "hidden"),
    ]
    split = pd.DataFrame(cells, columns=["item_id", "task_id", "fold"])
    text = "12 train\n12 é hidden\n"
    lines = f"7 a b valid\n7 t10 test\n7 é train\n{text}".encode()
    for order in (names, names[::-1]):
        for rows in (split, split.sample(frac=1, random_state=1)):
            coded = rows.assign(
                task_id=pd.Categorical(rows["task_id"], order), fold=pd.Categorical(rows["fold"])
            )
            assert split_digest(coded) == split_digest(rows) == hashlib.sha256(lines).hexdigest()
    named = split[split["task_id"].notna()]
    of_cells = lines.replace(b"12 train\n", b"").removesuffix(b"\n")
    assert split_digest(named) == hashlib.sha256(of_cells).hexdigest()


def test_a_digest_is_the_same_however_many_rows_are_read_at_a_time(monkeypatch):
    split = split_items(molecules_of([""] * 50), NO_LABELS, "random", 0, FRACTIONS)
    matrix = np.random.default_rng(0).integers(0, 2, (50, 3)).astype(float)
    labels = labels_of(matrix)
    cells = split_items(molecules_of([""] * 50), labels, "cells", 0, FRACTIONS)
    whole = [describe_split(one, labels) for one in (split, cells)]
    monkeypatch.setattr(splits, "ROWS", 7)
    assert [describe_split(one, labels) for one in (split, cells)] == whole


def test_the_step_writes_folds_and_their_description(tmp_path):
    items = items_table(range(50), scaffold=[f"s{i}" for i in range(50)])
    write_table("items", items, tmp_path / "m.parquet")
    labels = labels_of(np.tile([[0.0], [1.0]], (25, 1))).assign(bound="=")
    write_table("labels", labels, tmp_path / "l.parquet")
    files = ["--items", str(tmp_path / "m.parquet"), "--labels", str(tmp_path / "l.parquet")]
    out = tmp_path / "splits" / "scaffold-3.parquet"
    options = ["--scheme", "scaffold", "--seed", "3", "--fractions", "0.6", "0.2", "0.2", "--out", str(out)]
    assert main(["split_items", *files, *options]) == 0
    record = json.loads(out.with_suffix(".json").read_text())
    split = read_table("split", out)
    assert record["digest"] == split_digest(split)
    assert (record["scheme"], record["seed"], record["fractions"]) == ("scaffold", 3, [0.6, 0.2, 0.2])
    assert [record["folds"][fold]["items"] for fold in FOLDS] == [30, 10, 10] == sizes(split)


def test_a_large_data_set_is_split_within_seconds():
    rng = np.random.default_rng(0)
    molecules = molecules_of(rng.integers(0, 40_000, 100_000).astype(str))
    cells = np.unique(rng.integers(0, 100_000 * 500, 1_000_000))
    labels = pd.DataFrame(
        {
            "item_id": cells // 500,
            "task_id": pd.Categorical.from_codes(cells % 500, [f"t{i}" for i in range(500)]),
            "value": (rng.random(len(cells)) < 0.01).astype(np.float32),
        }
    )
    split = split_items(molecules, labels, "stratified", 0, FRACTIONS)
    record = describe_split(split, labels)
    assert [record["folds"][fold]["tasks_with_both_classes"] for fold in FOLDS] == [500, 500, 500]
    assert sizes(split_items(molecules, labels, "scaffold", 0, FRACTIONS)) == [80_000, 10_000, 10_000]
