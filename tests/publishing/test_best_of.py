"""Rows in which validation chooses among several methods, and what such a study may not say."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from relatask.config import StudyConfig
from relatask.plan.refusals import refuse
from relatask.publishing.inputs import Inputs
from relatask.publishing.published_values import Published
from relatask.publishing.tables import correlated_tasks as correlated_tasks_table
from relatask.publishing.tables import main as main_table
from tests.helpers.data_tables import write_records
from tests.helpers.study_tables import make_metrics, make_plan, results_of, write_dataset

TASKS = [f"t{i}" for i in range(7)]
METHODS = ("STL", "Deep_1", "Deep_2", "Deep_3")
VALID = {"STL": 0.5, "Deep_1": 0.6, "Deep_2": 0.8, "Deep_3": 0.7}
TEST = {"STL": 0.5, "Deep_1": 0.9, "Deep_2": 0.65, "Deep_3": 0.7}


def study_of(**more) -> dict:
    return {
        "title": "Toy",
        "sources": {"toy": {"reader": "table", "path": "toy.csv"}},
        "datasets": {"toy": {"source": "toy"}},
        "splits": {"schemes": ["random"]},
        "methods": [{"label": label, "method": "shared_bottom", "encoder": "gin"} for label in METHODS],
        "baseline": "STL",
        "metrics": ["roc_auc"],
        "tables": {
            "main": {
                "title": "Main",
                "methods": ["STL", "Deep"],
                "best_of": {"Deep": ["Deep_1", "Deep_2", "Deep_3"]},
            }
        },
        "scales": {"quick": {"seeds": [0, 1]}},
        **more,
    }


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    config = StudyConfig.model_validate(study_of())
    plan = make_plan(METHODS, seeds=(0, 1))
    folds = [
        make_metrics(plan, TASKS, lambda d, method, s, t, of=of: of[method] + 0.01 * int(t[1]), folds=[fold])
        for fold, of in (("valid", VALID), ("test", TEST))
    ]
    metrics = pd.concat(folds, ignore_index=True)
    write_dataset(tmp_path / "study" / "data" / "toy", TASKS, seeds=(0, 1))
    return Inputs(config, "quick", tmp_path, known=results_of(config, plan, metrics))


def test_validation_chooses_and_the_test_value_is_shown(inputs):
    table = main_table.make(inputs)
    assert [row[0] for row in table.rows] == ["STL", "Deep"]
    assert table.rows[1][1] == "68.00 ± 0.00 (+15.00) [Deep_2]"
    assert table.data["chosen"].tolist() == [None, "Deep_2"]
    assert "best, out of several" in " ".join(table.notes)


def test_a_plain_table_chooses_nothing(inputs):
    table = main_table.methods_table(
        inputs, "plain", inputs.study.tables["main"].model_copy(update={"best_of": {}})
    )
    assert table.data["chosen"].isna().all()
    assert "best, out of several" not in " ".join(table.notes)


@pytest.mark.parametrize(
    ("best_of", "message"),
    [({"Deep": ["Deep_9"]}, "Deep_9"), ({"STL": ["Deep_1"]}, "is a method's label")],
)
def test_a_row_that_cannot_be_chosen_is_refused(best_of, message):
    study = study_of()
    study["tables"]["main"] |= {"methods": ["Deep_1", *best_of], "best_of": best_of}
    with pytest.raises(ValidationError, match=message):
        StudyConfig.model_validate(study)


def write_labels(inputs: Inputs) -> pd.DataFrame:
    """Write labels of the toy data set, some tasks of which correlate, and return their correlations."""
    labels = []
    for task in TASKS:  # t0 to t3 follow the molecule, more of t3 than of t0; the others follow nothing
        number = int(task[1])
        for mol in range(64):
            signal = mol % 2 if number < 4 and mol % (number + 2) else (mol >> (number % 5 + 1)) % 2
            labels.append((mol, task, float(signal)))
    frame = pd.DataFrame(labels, columns=["item_id", "task_id", "value"])
    frame.assign(bound="=").astype(
        {"item_id": "int32", "value": "float32", "task_id": "category"}
    ).to_parquet(inputs.results / "study" / "data" / "toy" / "labels.parquet")
    write_records(inputs.results / "study" / "data" / "toy")
    return frame.pivot(index="item_id", columns="task_id", values="value").corr()


def test_correlated_tasks_are_those_of_the_labels(inputs):
    wide = write_labels(inputs)
    means = {task: wide.loc[task].drop(task).mean() for task in TASKS}
    ranked = sorted(TASKS, key=means.__getitem__)
    table = correlated_tasks_table.make(inputs)
    row = table.data[table.data["method"] == "Deep_1"].iloc[0]
    assert set(row["least_tasks"]) == set(ranked[:3])
    assert set(row["most_tasks"]) == set(ranked[-3:])
    expected = TEST["Deep_1"] + 0.01 * sum(int(task[1]) for task in row["most_tasks"]) / 3
    assert row["most_mean"] == pytest.approx(expected)
    assert len(table.rows) == len(METHODS)
    assert table.header[3:] == ["least correlated", "most correlated", "ρ of the gain"]


def test_what_a_paper_prints_of_its_correlated_tasks_stands_beside_ours(inputs):
    values = study_of(paper="p", datasets={"toy": {"source": "toy", "published": "Toy"}})
    values["methods"][2]["published"] = "relational"
    printed = [("least", 70.1, 7.8), ("most", 80.6, None)]
    numbers = [
        Published("p", "3", "relational", f"Toy {kind} correlated", value, spread, "roc_auc")
        for kind, value, spread in printed
    ]
    inputs = replace(inputs, study=StudyConfig.model_validate(values), published=numbers)
    write_labels(inputs)
    table = correlated_tasks_table.make(inputs)
    assert table.header[3:-1] == ["least correlated", "published", "most correlated", "published"]
    rows = {row[2]: row for row in table.rows}
    assert (rows["Deep_2"][4], rows["Deep_2"][6]) == ("70.10 ± 7.80", "80.60")
    assert (rows["Deep_1"][4], rows["Deep_1"][6]) == ("–", "–")
    assert table.data.set_index("method").loc["Deep_2", "most_published"] == pytest.approx(0.806)
    assert any("as printed in p" in note for note in table.notes)


@pytest.mark.parametrize(
    "row",
    [
        {"method": "single_task", "encoder": "gin"},
        {"method": "random_forest"},
        {"method": "baseline_pp", "encoder": "gin"},
        {"method": "shared_bottom", "encoder": "gin", "ensemble": 3},
    ],
)
def test_rows_that_cannot_impute_are_refused(row):
    methods = [{"label": "STL", "method": "shared_bottom", "encoder": "gin"}, {"label": "Other", **row}]
    config = StudyConfig.model_validate(study_of(methods=methods, tables={}, imputation=["STL", "Other"]))
    refuse(config.methods[0], "toy", config.datasets["toy"], config)
    with pytest.raises(Exception, match="imputation"):
        refuse(config.methods[1], "toy", config.datasets["toy"], config)
