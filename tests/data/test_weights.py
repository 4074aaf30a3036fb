"""A column of weights travels from a user's file to where methods read it, and is checked on the way."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from relatask.config import StudyConfig, parse
from relatask.config.weights import WeightsConfig
from relatask.core.errors import RelataskError
from relatask.core.layout import SOURCE_TABLES
from relatask.core.plugins import load_file
from relatask.core.tables import read_table, write_table
from relatask.data.dataset import make_dataset
from relatask.data.prepared import PreparedDataset
from relatask.data.source_tables import SourceContext
from relatask.plan.plan import plan_runs
from tests.helpers.data_tables import source_of
from tests.helpers.planned_study import study
from tests.helpers.prepared_dataset import random_labels, write_dataset

CSV = """smiles,active,logP,colour,trust
CCCO,1,1.5,red,1
CCCN,0,2,blue,0
CCCS,1,3,10,2.5
CCCCl,0,3,10,1e-2
"""
KINDS = {"active": "binary", "logP": "real", "colour": "class"}


def dataset_of(folder: Path, weights: dict[str, Any], text: str = CSV) -> Any:
    (folder / "x.csv").write_text(text)
    block = source_of(reader="table", path=str(folder / "x.csv"), kinds=KINDS)
    tables = load_file(block.record).prepare(block, SourceContext("mine", columns=("trust",)))
    source = {name: getattr(tables, name) for name in SOURCE_TABLES}
    return make_dataset(source, None, None, "d", weights=parse(WeightsConfig, weights, "weights"))


def test_a_column_of_weights_is_numbers_of_the_items(tmp_path: Path) -> None:
    items = dataset_of(tmp_path, {"weight_column": "trust"}).tables["items"]
    np.testing.assert_array_equal(items["sample_weight"], np.array([1, 0, 2.5, 1e-2], np.float32))
    other = dataset_of(tmp_path, {"classes": {"active": 2, "colour": {10: 3, "red": 1}}})
    assert "sample_weight" not in other.tables["items"]


def test_methods_read_the_weights_of_items(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", random_labels(20, 2))
    assert PreparedDataset.load(folder, "scaffold-0", inputs="none").sample_weights is None
    found = dataset_of(tmp_path, {"weight_column": "trust"}).tables["items"]
    path = tmp_path / "items.parquet"
    write_table("items", found, path)
    read = read_table("items", path, ["item_id"], ["sample_weight", "absent"])
    assert list(read) == ["item_id", "sample_weight"]
    assert read["sample_weight"].dtype == np.float32


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"tasks": {"activ": 2}}, "datasets.d.weights.tasks: the data set has no task 'activ', or it was left"
         r" out \(rejected_tasks.parquet\). Did you mean 'active'"),
        ({"classes": {"colours": 2}}, "weights.classes: the data set has no task 'colours'"),
        ({"classes": {"logP": 2}}, "weights.classes.logP: the task has measured values"),
        ({"classes": {"colour": 2}}, "weights.classes.colour: a number is the weight of label 1"),
        ({"classes": {"colour": {"rot": 2}}}, "weights.classes.colour: there is no class 'rot'.*red"),
        ({"classes": {"active": {"yes": 2}}}, "weights.classes.active: there is no class 'yes'. Known: 0, 1"),
        ({"weight_column": "no"}, "weight_column: the items have no column 'no'"),
    ],
)  # fmt: skip
def test_weights_of_what_is_not_there_are_named(tmp_path: Path, weights: Any, message: str) -> None:
    with pytest.raises(RelataskError, match=message):
        dataset_of(tmp_path, weights)


@pytest.mark.parametrize("cell", ["", "high", "-1", "nan", "inf"])
def test_an_item_without_a_weight_is_named(tmp_path: Path, cell: str) -> None:
    text = CSV.replace("10,2.5", f"10,{cell}")
    with pytest.raises(
        RelataskError,
        match=r"weight_column: 1 of 4 items have no weight of 0 or more in 'trust', the first is 'CCCS'",
    ):
        dataset_of(tmp_path, {"weight_column": "trust"}, text)


def test_items_keep_the_columns_that_weights_name() -> None:
    datasets = {"a": {"source": "s", "weights": {"weight_column": "trust"}}, "b": {"source": "s"}}
    given = study(
        datasets=datasets, sources={"s": {"reader": "table", "path": "x"}, "t": {"reader": "planted"}}
    )
    found = parse(StudyConfig, given, "study")
    assert found.columns_of("s") == ["trust"]
    assert found.columns_of("t") == []


def test_the_example_of_the_docs_can_be_planned_and_read(root: Path, tmp_path: Path) -> None:
    text = (root / "docs" / "kinds.md").read_text(encoding="utf-8")
    table, block = text.split("```\n")[1], text.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "assays.csv").write_text(table)
    study = parse(StudyConfig, yaml.safe_load(block), "docs/kinds.md")
    runs = {run.spec.label: run.spec for run in plan_runs(study, "quick")}
    assert runs["MTL"].weights == study.datasets["assays"].weights.given()
    assert runs["MTL_plain"].weights is None
    assert study.metrics[0] == "roc_auc"
    assert {"r2", "accuracy"} <= set(study.metrics)
    source = study.sources["mine"].model_copy(update={"path": str(tmp_path / "assays.csv")})
    context = SourceContext("mine", columns=tuple(study.columns_of("mine")))
    tables = load_file(source.record).prepare(source, context)
    assert dict(zip(tables.tasks["task_id"], tables.tasks["kind"], strict=True)) == {
        "toxic": "binary", "pIC50": "real", "solubility": "class",
    }  # fmt: skip
    assert tables.labels["bound"].tolist().count(">") == 1
    assert tables.items["trust"].tolist() == ["1", "0.5", "1"]
