"""Files that say which rows are in which fold: chemprop's JSON, tables, and what is wrong with some."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.core.errors import RelataskError
from relatask.sources import fold_files
from relatask.sources.fold_files import read_fold_file


def written(folder: Path, content: Any) -> Path:
    path = folder / "folds.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def rows(table: pd.DataFrame) -> dict[str, list[int]]:
    return {str(fold): own["row"].tolist() for fold, own in table.groupby("fold", sort=False)}


def test_splits_of_chemprop_are_read(tmp_path: Path) -> None:
    splits = [
        {"train": [0, "2-5", 7], "val": "8,9", "test": [6, "1"]},
        {"train": "0-6", "val": [], "test": "7 - 9"},
    ]
    first, second = read_fold_file(written(tmp_path, splits), 10)
    assert rows(first) == {"train": [0, 2, 3, 4, 5, 7], "val": [8, 9], "test": [6, 1]}
    assert rows(second) == {"train": [0, 1, 2, 3, 4, 5, 6], "test": [7, 8, 9]}
    (alone,) = read_fold_file(written(tmp_path, {"train": [0], "test": 3}), 10)
    assert rows(alone) == {"train": [0], "test": [3]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            [{"train": [0, 10]}],
            r"split 0, 'train': there is no row 10; the data has 10 rows, which count from 0",
        ),
        ([{"train": "0-99999999999999"}], "there is no row 99999999999999"),
        ([{"train": [1, "0-2"]}], r"names the row 1 more than once \(fold train\); name it once"),
        (
            [{"train": [1]}, {"train": [1], "test": [1]}],
            r"row 1 more than once \(fold train, test\) in its split 1",
        ),
        ([{"train": [1.0]}], r"split 0, 'train': '1.0' is no row"),
        ([{"train": [True]}], "'True' is no row"),
        ([{"train": [-1]}], "'-1' is no row"),
        ([{"train": "5-2"}], "'5-2' is no row"),
        ([{"train": "1;2"}], "'1;2' is no row"),
        ([{"train": [[1]]}], "is no row"),
        ([{"train": {"a": 1}}], "is no row"),
        ([{"train": ["0-9"] * 1000}], "names rows more than once; name each once"),
        ([{}], "names no row; name those of train and test"),
        ([], "must hold a list of objects"),
        ("[1, 2]", "must hold a list of objects"),
        ("[{", "is not valid JSON"),
        ('[{"train": [0], "test": [1], "train": [2]}]', "the fold 'train' stands there twice"),
        ("[" * 100_000, "is not valid JSON"),
    ],
)
def test_wrong_json_is_refused_by_split_fold_and_row(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(RelataskError, match=message):
        read_fold_file(written(tmp_path, content), 10)


@settings(max_examples=30, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    )
)
def test_any_json_is_rows_or_refused(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    path = tmp_path_factory.mktemp("any") / "folds.json"
    path.write_text(json.dumps(content))
    with suppress(RelataskError):
        assert all(0 <= row < 10 for table in read_fold_file(path, 10) for row in table["row"])


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_tables_name_rows_or_ids(tmp_path: Path, suffix: str) -> None:
    for key, values in {"row": [2, 0], "Index": [1, 5], "id": ["b", "a"]}.items():
        frame, path = pd.DataFrame({key: values, "Split": ["train", "test"]}), tmp_path / f"folds.{suffix}"
        if suffix == "parquet":
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
        (table,) = read_fold_file(path, 6)
        assert table.iloc[:, 0].tolist() == values
        assert table["fold"].tolist() == ["train", "test"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row,fold\n1,train\n6,test\n", "there is no row 6; the data has 6 rows"),
        ("row,fold\n1,train\n1.5,test\n", "line 3: '1.5' is no row of the data"),
        ("row,fold\n1,train\n,test\n", "line 3: '' is no row"),
        ("row,fold\n1,train\n1,train\n", "names the row 1 more than once"),
        ("id,fold\na,train\na,test\n", r"names the id a more than once \(fold train, test\)"),
        ("row,id,fold\n1,a,train\n", "must have one column row .* its columns are row, id, fold"),
        ("row,what\n1,train\n", "must have one column row"),
        ("row,fold\n", "names no row"),
    ],
)
def test_wrong_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "folds.csv"
    path.write_text(text)
    with pytest.raises(RelataskError, match=message):
        read_fold_file(path, 6)


def test_files_that_are_absent_or_too_large_or_of_data_without_rows_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RelataskError, match=r"splits\.path: there is no file"):
        read_fold_file(tmp_path / "none.json", 6)
    path = written(tmp_path, [{"train": [0]}])
    with pytest.raises(
        RelataskError, match="does not say which item is of which row; name items by a column id"
    ):
        read_fold_file(path, 0)
    monkeypatch.setattr(fold_files, "LARGEST", 3)
    with pytest.raises(RelataskError, match="write the folds as Parquet"):
        read_fold_file(path, 6)
