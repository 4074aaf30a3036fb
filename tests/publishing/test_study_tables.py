"""Tables that a study names, contrasts it asks for, who gains, and with which settings."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.config import StudyConfig, TableConfig, parse
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table, write_table
from relatask.publishing.table_files import save
from relatask.publishing.tables import gain_by_task as gain_by_task_table
from relatask.publishing.tables import main as main_table
from relatask.publishing.tables import settings as settings_table
from relatask.publishing.tables import significance as significance_table
from tests.helpers.data_tables import write_records
from tests.helpers.study_tables import TASKS, make_inputs, study_of

METHODS = ("STL", "MTL", "EBM", "CONTROL")
LEVEL = {"STL": 0.70, "MTL": 0.74, "EBM": 0.78, "CONTROL": 0.74}


def value(dataset: str, method: str, seed: int, task: str) -> float:
    """EBM is above MTL on every task, and more so the higher a task's number; CONTROL is MTL with noise."""
    number, wobble = int(task[1]), [0.01, -0.01, 0.012, -0.012, 0.008, -0.009, 0.001][int(task[1])]
    return LEVEL[method] + 0.01 * seed + number * 0.002 * (method == "EBM") + wobble * (method == "CONTROL")


def study(**more: object) -> dict:
    return study_of(methods=METHODS) | more


def test_a_contrast_is_compared_beside_the_baseline_and_as_widely(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, value, study(contrasts=[["EBM", "MTL"], ["CONTROL", "MTL"]]))
    table = significance_table.make(inputs)
    rows = {(row[3], row[4]): row for row in table.rows}
    assert list(rows) == [
        ("MTL", "STL"),
        ("EBM", "STL"),
        ("EBM", "MTL"),
        ("CONTROL", "STL"),
        ("CONTROL", "MTL"),
    ]
    assert rows["EBM", "MTL"][8] == "+4.60"
    assert set(table.data["n_methods"]) == {4}  # intervals of all are as wide as four methods need


def test_a_named_table_has_its_methods_in_its_order_and_main_can_be_chosen(tmp_path: Path) -> None:
    tables = {
        "main": {"title": "Chosen", "methods": ["STL", "EBM"]},
        "noise": {"title": "N", "methods": ["EBM", "MTL"]},
    }
    inputs = make_inputs(tmp_path, value, study(tables=tables))
    main = main_table.make(inputs)
    assert (main.title, [row[0] for row in main.rows]) == ("Chosen", ["STL", "EBM"])
    noise = main_table.methods_table(inputs, "noise", TableConfig(title="N", methods=["EBM", "MTL"]))
    assert [row[0] for row in noise.rows] == ["EBM", "MTL"]
    assert noise.rows[0][1] == "79.10 ± 0.71 (+8.60)"
    save(noise, tmp_path / "out")
    assert set(read_table("table_main", tmp_path / "out" / "noise.parquet")["method"]) == {"EBM", "MTL"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"contrasts": [["EBM", "MLT"]]}, "contrasts.0: there is no method 'MLT'. Did you mean 'MTL'"),
        ({"contrasts": [["EBM", "STL"]]}, "contrasts.0: ['EBM', 'STL'] is tested anyway"),
        ({"contrasts": [["EBM", "EBM"]]}, "says nothing"),
        ({"contrasts": [["EBM", "MTL"]] * 2}, "contrasts.1: "),
        (
            {"tables": {"noise": {"title": "N", "methods": ["XYZ"]}}},
            "tables.noise.methods: there is no method",
        ),
        ({"tables": {"splits": {"title": "N", "methods": ["MTL"]}}}, "tables.splits: each study has a table"),
        ({"tables": {"noise": {"title": "N", "methods": []}}}, "tables.noise.methods"),
    ],
)
def test_a_mistake_is_told(more: dict, message: str) -> None:
    with pytest.raises(RelataskError) as raised:
        parse(StudyConfig, study(**more), "s.yaml")
    assert message in str(raised.value)


def test_gains_are_told_by_labels_and_degree(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, value, study(contrasts=[["EBM", "MTL"]]))
    tasks = read_table("tasks", tmp_path / "study" / "data" / "toy" / "tasks.parquet")
    tasks["n_labels"] = 10 + np.arange(len(TASKS))[::-1]
    write_table("tasks", tasks, tmp_path / "study" / "data" / "toy" / "tasks.parquet")
    edges = pd.DataFrame(
        [("t6", other, 0.5, "protein") for other in TASKS[:6]] + [("t5", "t4", 0.5, "protein")]
    )
    edges.columns = ["task_i", "task_j", "score", "kind"]
    write_table("relations", edges, tmp_path / "study" / "data" / "toy" / "relations.parquet")
    write_records(tmp_path / "study" / "data" / "toy")
    table = gain_by_task_table.make(inputs)
    rows = {tuple(row[2:5]): row[5:] for row in table.rows}
    assert rows["EBM", "MTL", "labels"][:2] == ["7", "−1.00"]  # the fewer labels, the more gain
    assert rows["EBM", "MTL", "labels"][3:] == ["+5.10", "+4.70", "+4.20"]
    data = table.data[(table.data["method"] == "EBM") & (table.data["baseline"] == "MTL")].set_index(
        "task_id"
    )
    assert data.degree.to_dict() == {"t6": 6, "t5": 2, "t4": 2, "t3": 1, "t2": 1, "t1": 1, "t0": 1}
    assert data.n_labels["t0"] == 16
    assert data.difference["t6"] == pytest.approx(0.052)
    assert rows["MTL", "STL", "relations"][1:] == ["–"] * 5  # all gain alike: nothing to tell


def test_without_relations_every_degree_is_zero_and_untold(tmp_path: Path) -> None:
    table = gain_by_task_table.make(make_inputs(tmp_path, value, study()))
    assert set(table.data["degree"]) == {0}
    assert {tuple(row[6:]) for row in table.rows if row[4] == "relations"} == {("–",) * 5}


def test_settings_are_those_of_the_plan_beside_what_the_paper_searched(tmp_path: Path) -> None:
    searched = {"training.learning_rate": "0.001, 0.0005", "gibbs sweeps": "5"}
    inputs = make_inputs(tmp_path, value, study(search_space=searched))
    for row, label in enumerate(inputs.plan["label"]):
        spec = json.loads(inputs.plan.at[row, "spec"])
        spec |= {
            "training": {"learning_rate": 0.001, "epochs": 5 if label == "STL" else 9},
            "encoder": {"name": "gin", "options": {}},
        }
        inputs.plan.loc[row, "spec"] = json.dumps(spec)
    table = settings_table.make(inputs)
    rows = [tuple(row) for row in table.rows]
    assert ("training.learning_rate", "0.001", "all", "0.001, 0.0005") in rows
    assert ("training.epochs", "5", "STL", "–") in rows
    assert ("training.epochs", "9", "MTL, EBM, CONTROL", "–") in rows
    assert ("encoder", "gin", "all", "–") in rows
    assert rows[-1] == ("gibbs sweeps", "–", "–", "5")
    assert "the paper searched" not in settings_table.make(make_inputs(tmp_path, value, study())).header
