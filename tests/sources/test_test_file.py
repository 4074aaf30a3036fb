"""A file of molecules for test beside the one that is trained on."""

from pathlib import Path
from typing import Any

import pytest

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.data.source_tables import SourceContext, SourceTables
from relatask.data.splits import split_items
from tests.helpers.data_tables import source_of

TRAIN = "smiles,name,a,b\nCCCO,x1,1,0\nCCCN,x2,0,\nCCCCl,x3,1,1\nCCCCO,x4,0,1\nCCCCN,x5,1,0\nxx,x6,1,1\n"


def prepared(folder: Path, test: str, train: str = TRAIN, **keys: Any) -> SourceTables:
    for name, text in {"train.csv": train, "test.csv": test}.items():
        (folder / name).write_text(text)
    keys = {
        "path": str(folder / "train.csv"),
        "test_path": str(folder / "test.csv"),
        "id_column": "name",
        **keys,
    }
    block = source_of(reader="table", **keys)
    tables: SourceTables = load_file(block.record).prepare(block, SourceContext("mine"))
    return tables


def test_molecules_of_the_test_file_are_tested_and_left_out_of_training(tmp_path: Path) -> None:
    tables = prepared(tmp_path, "smiles,name,b,c\nOCCC,y1,1,1\nCCCBr,y2,0,0\nC,y3,1,1\n")
    items = tables.items.set_index("source_id")
    assert items["fold"].to_dict() == {
        **{"x2": "train", "x3": "train", "x4": "train", "x5": "train"}, "y1": "test", "y2": "test"
    }  # fmt: skip
    assert tables.tasks["name"].tolist() == ["a", "b", "c"]
    labels = tables.labels.merge(tables.items[["item_id", "source_id"]])
    of_y1 = labels[labels["source_id"] == "y1"]
    assert dict(zip(of_y1["task_id"], of_y1["value"], strict=True)) == {"b": 1, "c": 1}  # not x1's
    rejected = dict(zip(tables.rejected["source_id"], tables.rejected["reason"], strict=True))
    assert rejected["x1"] == "its molecule stands in the test file too"
    assert set(rejected) == {"x1", "x6", "y3"}
    assert len(tables.items) + len(tables.rejected) == tables.counts["rows"] == 9
    assert tables.counts["notes"] == {"rows_of_test_file": 3}
    counts = tables.counts["labels"]
    assert counts["in"] == counts["out"] + counts["of_rejected_rows"]
    split = split_items(tables.items, tables.labels, "given", 0, (0.5, 0.25, 0.25))
    assert split["fold"].value_counts().to_dict() == {"train": 3, "valid": 1, "test": 2, "hidden": 0}
    assert tables.rows["item_id"].isna().tolist() == [
        True,
        False,
        False,
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_classes_and_bounds_of_both_files_are_those_of_one(tmp_path: Path) -> None:
    train = "smiles,name,k,v\nCCCO,x1,red,1.5\nCCCN,x2,blue,2\n"
    test = "smiles,name,k,v\nCCCCl,y1,green,>3\nCCCBr,y2,red,4\n"
    tables = prepared(tmp_path, test, train, kinds={"k": "class", "v": "real"})
    assert tables.classes["name"].tolist() == ["blue", "green", "red"]
    values = tables.labels.pivot(index="item_id", columns="task_id", values="value")
    assert values["k"].tolist() == [2, 0, 1, 2]
    bounds = tables.labels[tables.labels["task_id"] == "v"]["bound"].tolist()
    assert bounds == ["=", "=", ">", "="]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"path": None}, "test_path: it stands beside a `path` of yours"),
        ({"item_columns": ["fold"]}, "as items have one|items get a column 'fold'"),
        ({"task_columns": ["a", "b"]}, "no column 'a'"),
    ],
)
def test_test_files_that_do_not_fit_are_refused(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(RelataskError, match=message):
        prepared(
            tmp_path, "smiles,name,b,fold\nCCCBr,y2,0,1\n", "smiles,name,a,b,fold\nCCCO,x,1,0,1\n", **keys
        )


def test_files_without_a_task_in_common_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RelataskError, match=r"test\.csv has no task in common with .*train\.csv"):
        prepared(tmp_path, "smiles,name,z\nCCCBr,y2,0\n")
