"""A table of measured values with bounds, or of classes, arrives whole where methods read it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.core.layout import SOURCE_TABLES
from relatask.core.plugins import load_file
from relatask.data.dataset import make_dataset
from relatask.data.prepared import PreparedDataset
from relatask.data.prepared_tables import read_labels
from relatask.data.source_tables import SourceContext, SourceTables
from relatask.sources.molecules import read_source
from tests.helpers.data_tables import prepared_folder, source_of

CSV = """smiles,IC50,logP,colour,active,day
CCCO,>10,1.5,red,1,2020-01-01
OCCC,>30,2.5,red,1,2020-01-02
CCCN,< 0.5,-1e1,blue,0,2020-01-03
NCCC,0.7,,green,,2020-01-04
c1ccccc1C,≥ 3,0,,1,2020-01-05
CCCCO,,2,10,0,2020-01-06
OCCCC,4,,9,0,2020-01-07
"""


def prepared(folder: Path, text: str = CSV, **keys: Any) -> SourceTables:
    (folder / "x.csv").write_text(text)
    block = source_of(reader="table", path=str(folder / "x.csv"), **keys)
    tables: SourceTables = load_file(block.record).prepare(block, SourceContext("mine", columns=("day",)))
    return tables


def cells(tables: SourceTables, task: str) -> dict[str, tuple[float, str]]:
    frame = tables.labels[tables.labels["task_id"] == task].merge(tables.items, on="item_id")
    return {row.smiles: (round(float(row.value), 4), str(row.bound)) for row in frame.itertuples()}


KINDS = {"IC50": "real", "logP": "real", "colour": "class", "active": "binary"}


def test_values_bounds_and_classes_of_duplicates_are_merged(tmp_path: Path) -> None:
    tables = prepared(tmp_path, kinds=KINDS, units={"IC50": "uM"}, item_columns=[])
    assert cells(tables, "IC50") == {
        "CCCO": (30.0, ">"),  # the tighter of two bounds
        "Cc1ccccc1": (3.0, ">"),
        "CCCCO": (4.0, "="),
    }  # of CCCN one row says below 0.5 and the other 0.7: missing
    assert cells(tables, "logP") == {
        "CCCO": (2.0, "="),
        "CCCN": (-10.0, "="),
        "Cc1ccccc1": (0.0, "="),
        "CCCCO": (2.0, "="),
    }
    names = tables.classes.set_index("value")["name"].to_dict()
    assert list(names.values()) == ["9", "10", "blue", "green", "red"]  # numbers by value, then texts
    assert cells(tables, "colour") == {
        "CCCO": (4.0, "=")
    }  # the others differ in their two rows, or have none
    assert cells(tables, "active") == {
        "CCCO": (1.0, "="),
        "CCCN": (0.0, "="),
        "Cc1ccccc1": (1.0, "="),
        "CCCCO": (0.0, "="),
    }
    tasks = tables.tasks.set_index("task_id")
    assert tasks["kind"].to_dict() == KINDS
    assert tasks["unit"].dropna().to_dict() == {"IC50": "uM"}
    assert tasks["metric"].to_dict() == {
        "IC50": "mae", "logP": "mae", "colour": "accuracy", "active": "roc_auc",
    }  # fmt: skip
    assert tasks.loc["colour", "n_classes"] == 5
    assert tasks[["n_labels", "n_pos", "n_neg"]].values.tolist() == [
        [3, 0, 0],
        [4, 0, 0],
        [1, 0, 0],
        [4, 2, 2],
    ]
    counts = tables.counts["labels"]
    lost = counts["of_rejected_rows"] + counts["merged"] + counts["conflicting"]
    assert counts["in"] == counts["out"] + lost
    assert tables.items["day"].tolist() == ["2020-01-01", "2020-01-03", "2020-01-05", "2020-01-06"]


def test_methods_read_values_bounds_and_tasks_of_every_kind(tmp_path: Path) -> None:
    tables = prepared(tmp_path, kinds=KINDS)
    splits = {"time": {"seeds": [0], "fractions": (0.5, 0.25, 0.25), "options": {"column": "day"}}}
    folder = prepared_folder(tmp_path / "made", tables, ["ecfp"], splits)
    data = PreparedDataset.load(folder, "time-0", inputs="ecfp")
    assert [task.kind for task in data.tasks] == list(KINDS.values())
    assert data.tasks[2].classes == ("9", "10", "blue", "green", "red")
    assert data.tasks[2].n_classes == 5
    np.testing.assert_array_equal(data.labels[:, 0], [30, np.nan, 3, 4])
    assert data.bounds is not None
    assert data.bounds[:, 0].tolist() == [1, 0, 1, 0]
    assert {fold: rows.tolist() for fold, rows in data.folds.items()} == {
        "train": [0, 1], "valid": [2], "test": [3],
    }  # fmt: skip
    some = PreparedDataset.load(folder, "time-0", tasks=["active"], inputs="none")
    assert some.bounds is None


def test_densification_asks_both_classes_of_binary_tasks_alone(tmp_path: Path) -> None:
    tables = prepared(tmp_path, kinds=KINDS)
    one_class = tables.labels[(tables.labels["task_id"] != "active") | (tables.labels["value"] == 1)]
    source = {name: getattr(tables, name) for name in SOURCE_TABLES} | {"labels": one_class}
    dataset = make_dataset(source, None, None, "d")
    assert dataset.tables["tasks"]["task_id"].tolist() == ["IC50", "logP", "colour"]
    assert dataset.tables["rejected_tasks"]["reason"].tolist() == ["no negative label"]
    assert dataset.tables["classes"]["task_id"].unique().tolist() == ["colour"]
    bounds = dataset.tables["labels"].groupby("task_id", observed=True)["bound"].agg(lambda b: sorted(set(b)))
    assert bounds.to_dict() == {"IC50": ["=", ">"], "logP": ["="], "colour": ["="]}


@pytest.mark.parametrize("cell", ["high", ">", "<>3", "inf", "1_0", "> <"])
def test_what_is_no_measured_value_is_named(tmp_path: Path, cell: str) -> None:
    (tmp_path / "x.csv").write_text(f"smiles,A\nCCCO,1\nCCCN,{cell}\n")
    block = source_of(reader="table", path=str(tmp_path / "x.csv"), values="real")
    with pytest.raises(RelataskError, match=r"line 3, column 'A': .* is not a measured value; write a f"):
        read_source(block, "mine")


def test_a_task_of_no_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(RelataskError, match=r"has no task 'colours' \(kinds\). Did you mean 'colour'"):
        prepared(tmp_path, values="real", kinds={"colours": "class"})


def test_parquet_columns_of_numbers_are_read_as_text_is(tmp_path: Path) -> None:
    frame = pd.DataFrame({"smiles": ["CCCO", "CCCN", "CCCC"], "A": [1.5, np.nan, -2], "B": [3, 1, 3]})
    frame.to_parquet(tmp_path / "x.parquet")
    block = source_of(reader="table", path=str(tmp_path / "x.parquet"), kinds={"A": "real", "B": "class"})
    table = read_source(block, "mine")
    assert table.labels[["row_position", "task", "value"]].values.tolist() == [
        [0, 0, 1.5], [0, 1, 1], [1, 1, 0], [2, 0, -2], [2, 1, 1],
    ]  # fmt: skip
    assert table.classes == {"B": ["1", "3"]}


def test_an_unknown_bound_is_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"item_id": [0], "task_id": ["a"], "value": [1.0], "bound": ["~"]})
    frame.astype({"item_id": "int32", "value": "float32"}).to_parquet(tmp_path / "labels.parquet")
    with pytest.raises(RelataskError, match="has the bound '~'; only =, <, > exist"):
        read_labels(tmp_path / "labels.parquet", np.array([0]), ["a"])
