"""Splits that a user names: a column of words or numbers, rows of a file, dates."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.core.errors import RelataskError
from relatask.data.splits import describe_split, split_items
from tests.helpers.data_tables import labels_table

FRACTIONS = (0.6, 0.2, 0.2)
NO_LABELS = labels_table([], [], [])


def table_of(scheme: str, n: int, seed: int = 0, given: Any = None, **options: Any) -> pd.DataFrame:
    columns = {key: options.pop(key) for key in ("mine", "scaffold", "item_id") if key in options}
    items = pd.DataFrame({"item_id": np.arange(n), **columns})
    return split_items(items, NO_LABELS, scheme, seed, FRACTIONS, options, given)


def folds(table: pd.DataFrame) -> list[str]:
    return table["fold"].tolist()


def of_column(said: list[Any], seed: int = 0, **options: Any) -> list[str]:
    return folds(table_of("column", len(said), seed, mine=said, column="mine", **options))


@pytest.mark.parametrize(
    ("words", "fold"),
    [
        (["train", "Training", " TRAIN ", "train set", "training_set", "train.csv"], "train"),
        (["val", "valid", "Validation", "dev", "validation-set", "dev.csv.gz"], "valid"),
        (["test", "TESTING", "hold-out", "holdout", "held_out", "test set", "test.parquet"], "test"),
        (["", None, "  ", float("nan"), "hidden", "unused"], "hidden"),
    ],
)
def test_folds_have_the_names_that_people_give_them(words: list[Any], fold: str) -> None:
    assert of_column(["train", "val", "test", *words])[3:] == [fold] * len(words)


def test_unknown_words_are_answered_with_all_that_were_found() -> None:
    said = ["train", "test", "Trian", "tset", "tset", "7.5", *(f"x{number}" for number in range(20))]
    with pytest.raises(
        RelataskError, match=r"says 'tset' \(2 x\), 'Trian' \(1 x\), .* and 15 others, .*holdout"
    ):
        of_column(said)


def test_numbers_are_folds_that_seeds_test_one_after_the_other() -> None:
    said = ["0", "1", "2", "fold 3", "0.0", 1, 2.0]
    place = np.array([0, 1, 2, 3, 0, 1, 2])
    for seed in range(9):
        found = np.array(of_column(said, seed), object)
        assert set(place[found == "test"]) == {seed % 4}
        assert set(place[found == "valid"]) == {(seed + 1) % 4}
        assert (found != "hidden").all()
    assert table_of("column", 7, 5, mine=said, column="mine").attrs["facts"]["tested_fold"] == 1
    halves = of_column(["1"] * 20 + ["2"] * 20, 1)
    assert halves[20:] == ["test"] * 20
    assert (halves.count("valid"), halves.count("train")) == (5, 15)  # a quarter of what trains


def test_a_fixed_test_stands_beside_numbered_folds() -> None:
    said = ["test", "0", "1", "2", "train", ""]
    for seed in range(5):
        expected = [
            "test",
            *(["valid" if fold == seed % 3 else "train" for fold in range(3)]),
            "train",
            "hidden",
        ]
        assert of_column(said, seed) == expected


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["0", "1", "valid"], "holds both numbers of folds and the word valid"),
        (["4"] * 9, "holds one number of a fold, 4; at least two"),
        ([str(number) for number in range(1500)], "holds 1500 different numbers, which are no folds"),
        (
            ["train"] * 5 + ["valid"] * 5,
            r"names no item for test; name the word that means test in splits\.test_word",
        ),
        (["test"] * 9, "names no item for train"),
        (["train", "train", "test"], r"2 items for training and 1 for test: too few"),
    ],
)
def test_columns_that_are_no_split_are_refused(said: list[str], message: str) -> None:
    with pytest.raises(RelataskError, match=message):
        of_column(said)


def test_a_word_may_mean_test() -> None:
    said = ["train"] * 8 + ["valid"] * 4
    found = of_column(said, test_word="Valid")
    assert found[8:] == ["test"] * 4
    assert found[:8].count("valid") == 2


@pytest.mark.parametrize("valid_by", ["random", "scaffold"])
def test_validation_is_taken_from_training_and_told(valid_by: str) -> None:
    said = ["train"] * 40 + ["test"] * 8 + [None] * 2
    scaffold = [f"s{number // 4}" for number in range(50)]
    seen = set()
    for seed in range(6):
        table = table_of("column", 50, seed, mine=said, column="mine", scaffold=scaffold, valid_by=valid_by)
        found = np.array(folds(table), object)
        assert (found[40:] == ["test"] * 8 + ["hidden"] * 2).all()
        valid = np.flatnonzero(found == "valid")
        assert len(valid) == (10 if valid_by == "random" else 8)  # whole scaffolds of 4 fit twice into 10
        if valid_by == "scaffold":
            assert not set(valid // 4) & set(np.flatnonzero(found == "train") // 4)
        record = describe_split(table, NO_LABELS)
        assert record["facts"] == {"left_out": 2, "validation": f"drawn from training: {valid_by}"}
        assert record["hidden_items"] == 2
        seen.add(tuple(valid))
    assert len(seen) == 6


def rows_of(items: list[int | None], ids: list[str | None] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source_id": pd.Series(ids or [None] * len(items), dtype=object),
            "item_id": pd.array(items, "Int32"),
        }
    )


def of_rows(rows: pd.DataFrame, n: int, named: list[pd.DataFrame], seed: int = 0) -> pd.DataFrame:
    given = {"rows": rows, "row_folds": named}
    return table_of("rows", n, seed, given, path="folds.json")


def test_rows_of_a_file_are_items_and_those_of_several_folds_are_tested() -> None:
    rows = rows_of([0, None, 1, 0, 2, 3, 1, 4])  # row 1 was left out, rows 3 and 6 are merged
    named = pd.DataFrame(
        {"row": [0, 1, 2, 3, 4, 5, 6], "fold": ["train", "train", "train", "test", "val", "train", "val"]}
    )
    table = of_rows(rows, 5, [named])
    assert folds(table) == ["test", "valid", "valid", "train", "hidden"]
    assert table.attrs["facts"] == {
        "split_of_file": 0,
        "rows_named": 7,
        "rows_of_no_item": 1,
        "left_out": 1,
        "in_several_folds": 2,
        "rows_in_several_folds": [[0, 3], [2, 6]],
    }


def test_ids_name_all_rows_that_have_them_and_unknown_ones_are_refused() -> None:
    rows = rows_of([0, 1, 2, 0], ["a", "b", "c", "d"])
    named = pd.DataFrame({"id": ["d", "b", "c"], "fold": ["test", "train", "valid"]})
    assert folds(of_rows(rows, 3, [named])) == ["test", "train", "valid"]
    named.loc[1, "id"] = "x"
    with pytest.raises(RelataskError, match="names 1 ids that no row of the data has, such as 'x'"):
        of_rows(rows, 3, [named])


def test_the_seed_chooses_among_the_splits_of_a_file() -> None:
    rows = rows_of([0, 1, 2])
    named = [
        pd.DataFrame(
            {"row": [0, 1, 2], "fold": ["train", "val", "test"][start:] + ["train", "val", "test"][:start]}
        )
        for start in range(3)
    ]
    found = [folds(of_rows(rows, 3, named, seed)) for seed in range(6)]
    assert found[:3] == found[3:]
    assert [one.index("test") for one in found[:3]] == [2, 1, 0]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_row_is_lost_and_none_trains_that_is_tested(data: st.DataObject) -> None:
    n = data.draw(st.integers(12, 40))
    items = data.draw(st.lists(st.one_of(st.none(), st.integers(0, 7)), min_size=n, max_size=n))
    said = data.draw(st.lists(st.sampled_from(["train", "val", "test", ""]), min_size=n, max_size=n))
    named = pd.DataFrame({"row": np.arange(n), "fold": said})
    of_item = {
        item: {word for own, word in zip(items, said, strict=True) if own == item and word}
        for item in range(8)
    }
    try:
        table = of_rows(rows_of(items), 8, [named])
    except RelataskError:
        expected = [("train" in words and not words & {"val", "test"}) for words in of_item.values()]
        assert not any("test" in words for words in of_item.values()) or sum(expected) < 3
        return
    for item, fold in enumerate(folds(table)):
        if "test" in of_item[item]:
            assert fold == "test"
        elif "val" in of_item[item]:
            assert fold == "valid"
        else:
            assert fold in ({"train", "valid"} if of_item[item] else {"hidden"})
    facts = table.attrs["facts"]
    assert facts["rows_named"] == n
    assert facts["rows_of_no_item"] == items.count(None)


def of_time(when: list[Any]) -> pd.DataFrame:
    return table_of("time", len(when), mine=when, column="mine")


@pytest.mark.parametrize(
    "when",
    [
        ["2.1.2021", "05.04.2020", "01.02.2021", "31.12.2019", "03.03.2020"],
        ["1/2/2021", "4/5/2020", "2/1/2021", "12/31/2019", "3/3/2020"],
        ["2/1/2021", "5/4/2020", "1/2/2021", "31/12/2019", "3/3/2020"],
        ["2021-01-02", "2020-04-05", "2021-02", "2019-12-31T08:00:00", "2020-05-05T10:00:00+02:00"],
        ["2021", "2018", "2022", "2017", "2019"],
        ["1000.5", "20", "1e4", "9", "100"],
        [1000.5, 20, 10_000, 9.0, 100],
    ],
)
def test_dates_of_all_forms_are_put_in_order(when: list[Any]) -> None:
    assert folds(of_time(when)) == ["valid", "train", "test", "train", "train"]


def test_the_record_says_where_the_cut_lies_and_what_has_its_date() -> None:
    when = ["1.1.2020", "2.1.2020", "3.1.2020", "3.1.2020", "4.1.2020", "", None]
    table = of_time(when)
    assert folds(table) == ["train", "train", "train", "valid", "test", "hidden", "hidden"]
    assert describe_split(table, NO_LABELS)["facts"] == {
        "left_out": 2,
        "valid_from": "2020-01-03",
        "before_valid_of_that_time": 1,
        "test_from": "2020-01-04",
        "before_test_of_that_time": 0,
    }
    assert of_time(["2015", "2016", "2017", "2018", "2019"]).attrs["facts"]["test_from"] == 2019


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (["05/06/2020"] * 5, r"'05/06/2020', of which the month could be .* \(no date of the column tells\)"),
        (["13/06/2020", "06/13/2020", "", "", ""], r"could be .* \(both are days somewhere\)"),
        (["31.13.2020", "1.1.2020", "", "", ""], "says '31.13.2020', which is neither a number nor a date"),
        (["2020-02-30", "2020-01-01"], "says '2020-02-30', which is neither"),
        (["soon", "1.1.2020", "5"], r"says 'soon', .* \(2 cells in all\)"),
        (["inf", "6", "5"], "says 'inf', which is neither"),
    ],
)
def test_what_is_no_date_or_could_be_two_is_refused(when: list[str], message: str) -> None:
    with pytest.raises(RelataskError, match=message):
        of_time(when)
