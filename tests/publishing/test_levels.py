"""Tables of graphs, nodes and links: each level in its own metric, against its own single task."""

from pathlib import Path

import numpy as np
import pytest

from relatask.config import StudyConfig, table_names
from relatask.config.conditions import figure_names
from relatask.core.errors import RelataskError
from relatask.core.outputs import tables
from relatask.core.tables import write_table
from relatask.evaluation.fold_test import Family, interval
from relatask.publishing.levels import level_values, rows_of
from relatask.publishing.published_values import Published
from relatask.publishing.tables import level_change, level_scores, per_task
from tests.helpers.level_study import GCN, ROWS, SEEDS, level_inputs, level_value
from tests.helpers.study_tables import study_of

NEW = {"level_scores", "level_change"}


def printed(row: str, column: str, number: float, metric: str = "accuracy") -> Published:
    return Published("same", "1", row, column, number, 1.9, metric)


def test_rows_train_what_the_plan_says(tmp_path: Path) -> None:
    there = ["graph", "node", "pair"]
    trained = {row.label: row.trained(there) for row in rows_of(level_inputs(tmp_path, level_value))}
    assert trained == {
        "iSAME": ("graph", "node", "pair"),
        "iSAME_node": ("node",),
        "Cl_both": ("graph", "node"),
        "Cl_graph": ("graph",),
        "Cl_node": ("node",),
        "Cl_pair": ("pair",),
        "Attributes": (),
    }
    (row, *_) = rows_of(level_inputs(tmp_path, level_value))
    assert row.trained(["graph", "node"]) == ("graph", "node")


def test_each_task_is_taken_in_its_own_metric(tmp_path: Path) -> None:
    found = level_values(level_inputs(tmp_path, level_value))
    assert len(found) == len(ROWS) * 3 * 4  # macro F1 is there too, and left out
    assert dict(zip(found["level"], found["metric"], strict=True)) == {
        "graph": "accuracy",
        "node": "accuracy",
        "pair": "roc_auc",
    }
    with pytest.raises(RelataskError, match=r"task 'l' of toy is judged by roc_auc, which .* add it"):
        level_values(level_inputs(tmp_path, level_value, metrics=("accuracy", "average_precision")))


def test_scores_are_means_over_tasks_then_over_seeds(tmp_path: Path) -> None:
    paper = [printed("iSAME", "ENZYMES NC", 87.3), printed("Cl", "ENZYMES LP", 75.5, "roc_auc")]
    table = level_scores.make(level_inputs(tmp_path, level_value, published=paper))
    data = table.data.set_index(["method", "level"])
    row = data.loc[("iSAME_node", "node")]
    assert row["mean"] == pytest.approx(0.8 * 1.2 + SEEDS)
    assert row["std"] == pytest.approx(np.std([0, SEEDS, 2 * SEEDS], ddof=1))
    assert (row["n_tasks"], row["n_seeds"], row["n_undefined"], row["trained"]) == (2, 3, 0, True)
    assert (row["published"], row["published_std"]) == pytest.approx((0.873, 0.019))
    assert data.loc[("Cl_pair", "pair"), "published"] == pytest.approx(0.755)
    assert data["published"].notna().sum() == 2  # the paper's numbers are of rows of one level
    assert data.loc[("Attributes", "graph"), "trained"] is np.False_

    assert table.header == [
        *("method", "toy graphs", "toy nodes", "toy NC published", "toy links", "toy LP published")
    ]
    cells = {line[0]: dict(zip(table.header, line, strict=True)) for line in table.rows}
    assert cells["iSAME_node"]["toy nodes"] == "97.00 ± 1.00"
    assert cells["iSAME_node"]["toy graphs"].endswith(" †")
    assert not any("†" in cell for cell in cells["iSAME"].values())
    assert cells["iSAME_node"]["toy NC published"] == "87.30 ± 1.90"
    assert cells["Cl_both"]["toy NC published"] == "–"
    write_table("table_level_scores", table.data, tmp_path / "scores.parquet")


def test_an_undefined_task_is_left_out_and_counted(tmp_path: Path) -> None:
    def gap(label: str, seed: int, task: str) -> float:
        return np.nan if (seed, task) == (0, "n2") or task == "l" else level_value(label, seed, task)

    table = level_scores.make(level_inputs(tmp_path, gap))
    data = table.data.set_index(["method", "level"])
    row = data.loc[("Cl_node", "node")]
    assert row["n_undefined"] == 1
    assert row["mean"] == pytest.approx(np.mean([0.7, 0.8 + SEEDS, 0.8 + 2 * SEEDS]))
    links = data.loc[("Cl_node", "pair")]
    assert np.isnan(links["mean"])
    assert (links["n_seeds"], links["n_undefined"]) == (0, 3)
    assert all("–" in line for line in table.rows)
    assert f"{len(ROWS) * 4} undefined" in " ".join(table.notes)
    write_table("table_level_scores", table.data, tmp_path / "scores.parquet")


def noisy(label: str, seed: int, task: str) -> float:
    return level_value(label, seed, task) + (0.02 * ((7 * seed + len(task)) % 3) if label == "iSAME" else 0)


def test_the_change_is_that_of_maninis_and_its_test_knows_the_splits(tmp_path: Path) -> None:
    paper = [printed("iSAME GC+NC+LP", "ENZYMES", 1.5, "delta_m")]
    table = level_change.make(level_inputs(tmp_path, noisy, published=paper))
    data = table.data.set_index("method")
    assert list(data.index) == ["iSAME", "iSAME_node", "Cl_both"]  # not single-task rows, nor untrained ones
    assert list(data["levels"]) == ["GC+NC+LP", "NC", "GC+NC"]
    deltas = []
    for seed in range(3):
        of_level = []
        for single, tasks in (("Cl_graph", ["g"]), ("Cl_node", ["n1", "n2"]), ("Cl_pair", ["l"])):
            ours, alone = (
                sum(noisy(name, seed, task) for task in tasks) / len(tasks) for name in ("iSAME", single)
            )
            of_level.append(100 * (ours - alone) / alone)
        deltas.append(sum(of_level) / 3)
    row = data.loc["iSAME"]
    assert row["mean"] == pytest.approx(np.mean(deltas))
    assert row["std"] == pytest.approx(np.std(deltas, ddof=1))
    assert row["test_to_train"] == pytest.approx(20 / 160)
    others = (data.loc[name, "mean"] + np.zeros(3) for name in ("iSAME_node", "Cl_both"))  # do not vary
    family = Family.of(np.column_stack([np.zeros(3), deltas, *others]))
    expected = interval(np.array(deltas), family, 1 / 8)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(expected)
    assert row["published"] == 1.5
    assert data.loc["Cl_both", "verdict"] == "worse"
    assert "+1.5 ± 1.9" in table.rows[0]
    write_table("table_level_change", table.data, tmp_path / "change.parquet")


def test_without_two_splits_or_a_single_task_row_there_is_no_interval(tmp_path: Path) -> None:
    data = level_change.make(level_inputs(tmp_path, level_value, seeds=(0,))).data
    assert data[["ci_low", "ci_high"]].isna().all(axis=None)
    assert set(data["verdict"]) == {"undecided"}
    assert data["mean"].notna().all()

    rows = [row for row in ROWS if row["label"] != "Cl_pair"]
    data = level_change.make(level_inputs(tmp_path, level_value, rows)).data.set_index("method")
    assert data.loc["iSAME", "verdict"] == "no single-task row of links (held_out)"
    assert np.isnan(data.loc["iSAME", "mean"])
    assert data.loc["Cl_both", "verdict"] == "worse"
    write_table("table_level_change", data.reset_index(), tmp_path / "change.parquet")


def test_links_are_compared_with_single_tasks_of_their_protocol(tmp_path: Path) -> None:
    released = [
        {"label": "S_rel", "method": "same", **GCN, "options": {"trains": "pair", "protocol": "released"}},
        {"label": "Cl_rel", "method": "joint", **GCN, "options": {"trains": "pair", "protocol": "released"}},
        {"label": "S_all", "method": "same", **GCN, "options": {"protocol": "released"}},
        {"label": "Fine", "method": "joint", **GCN, "options": {"trains": "pair", "finetuning": 0.5}},
        {"label": "Read", "method": "joint", **GCN, "options": {"trains": "pair", "reads": "linear"}},
    ]
    own = {"S_rel": 0.9, "Cl_rel": 0.6, "Cl_pair": 0.3}
    inputs = level_inputs(tmp_path, lambda label, *_: own.get(label, 0.45), [*released, *ROWS])
    data = level_change.make(inputs).data.set_index("method")
    assert data.loc["S_rel", "mean"] == pytest.approx(50)
    assert data.loc["Read", "mean"] == data.loc["Fine", "mean"] == pytest.approx(50)
    changes = [0, 0, 100 * (0.45 - 0.6) / 0.6]  # graphs and nodes: against single tasks of either protocol
    assert data.loc["S_all", "mean"] == pytest.approx(np.mean(changes))
    assert data.loc["S_rel", "verdict"] == "better"  # by the same in every split


def test_studies_have_them_if_a_method_chooses_levels(tmp_path: Path) -> None:
    study = level_inputs(tmp_path, level_value).study
    assert set(table_names(study)) >= NEW
    assert "level_protocol" not in table_names(study)
    assert "level_transfer-toy" in figure_names(study)
    other = StudyConfig.model_validate(study_of())
    assert not {*NEW, "level_protocol"} & set(table_names(other))
    assert not any(name.startswith("level_transfer") for name in figure_names(other))


def test_each_task_is_shown_in_a_metric_of_its_kind(tmp_path: Path) -> None:
    inputs = level_inputs(tmp_path, level_value)
    table = per_task.make(inputs.restricted(tables()["per_task"]))
    assert list(table.header)[2:6] == ["task", "metric", "labels", "active"]
    assert [row[3] for row in table.rows] == ["accuracy", "accuracy", "accuracy", "ROC-AUC"]
    assert table.rows[3][table.header.index("Cl_pair")] == "81.00 ± 1.00"
    assert table.data.groupby("task_id")["metric"].first().to_dict() == {
        **dict.fromkeys(["g", "n1", "n2"], "accuracy"),
        "l": "roc_auc",
    }
