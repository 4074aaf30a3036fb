"""Table and figures of how well probabilities and intervals hold, of a small study whose errors are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.config import StudyConfig, figure_names, table_names
from relatask.core.layout import study_file
from relatask.core.tables import write_table
from relatask.data.splits import whole_items
from relatask.publishing.figures import calibration_curves, coverage, error_by_similarity
from relatask.publishing.inputs import Inputs
from relatask.publishing.out_of_fold import checked_out_of_fold
from relatask.publishing.tables import calibration
from tests.helpers.data_tables import tasks_table, write_records
from tests.helpers.study_tables import make_inputs, study_of

N, TASKS = 400, {"t0": "binary", "t1": "real", "t2": "binary"}
STUDY = {**study_of(), "uncertainty": True}


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Seed s tests every second item; the second method is far off, the last task has one positive label."""
    found = make_inputs(tmp_path, study=STUDY)
    folder, rng = tmp_path / "study" / "data" / "toy", np.random.default_rng(0)
    tasks = tasks_table(list(TASKS), kind=list(TASKS.values()), n_pos=9, n_neg=9)
    write_table("tasks", tasks, folder / "tasks.parquet")
    items = pd.DataFrame({"item_id": np.arange(N)})
    near, truth = rng.random(N), rng.normal(size=N)
    similarity, predictions = [], []
    for seed in (0, 1):
        tested = np.flatnonzero(np.arange(N) % 2 == seed)
        fold = np.where(np.arange(N) % 2 == seed, 2, 0)
        write_table("split", whole_items(items, fold), folder / "splits" / f"random-{seed}.parquet")
        own = {"split": "random", "seed": seed, "item_id": tested, "similarity": near[tested]}
        similarity.append(pd.DataFrame(own))
        for run in found.plan[found.plan["seed"] == seed].itertuples():
            error = (1.2 - near) * (0.3 if run.label == "STL" else 3)
            label = (truth > 0).astype(float)
            said = {
                "t0": (label, np.clip(0.5 + 0.3 * truth + 0.1 * rng.normal(size=N), 0.01, 0.99)),
                "t1": (truth, truth + error * rng.normal(size=N)),
                "t2": ((np.arange(N) == 3).astype(float), np.full(N, 0.1)),
            }
            for task, (labels, score) in said.items():
                rows = {"run_id": run.run_id, "task_id": task, "fold": "test", "item_id": tested}
                predictions.append(pd.DataFrame({**rows, "label": labels[tested], "score": score[tested]}))
    path = tmp_path / study_file("similarity", "study", dataset="toy")
    write_table("similarity", pd.concat(similarity), path)
    write_records(folder)
    found.known["predictions"] = pd.concat(predictions, ignore_index=True)
    return found


def test_the_table_says_what_holds_of_each_kind_and_leaves_out_too_few_labels(inputs: Inputs) -> None:
    table = calibration.make(inputs)
    assert [row[2:5] for row in table.rows] == [
        *(["STL", "labels", "1"], ["STL", "values", "1"], ["MTL", "labels", "1"], ["MTL", "values", "1"]),
    ]
    assert "t2" not in set(table.data["task_id"])
    values = table.data[table.data["kind"] == "real"]
    assert values["n"].tolist() == [N, N]
    assert values["coverage_80"].to_numpy() == pytest.approx(0.8, abs=0.05)
    assert values["coverage_90"].to_numpy() == pytest.approx(0.9, abs=0.04)
    assert values["width_90"].iloc[1] > 5 * values["width_90"].iloc[0]
    assert table.rows[0][-3] < table.rows[0][-4]  # the calibration error falls
    assert table.rows[0][5:8] == ["–"] * 3
    assert table.rows[1][-4:] == ["–"] * 4


def test_no_label_is_read_where_it_is_checked(inputs: Inputs) -> None:
    first = checked_out_of_fold(inputs, "toy", "random", "STL")
    frame = inputs.known["predictions"]
    odd = (frame["item_id"] % 2 == 1) & (frame["task_id"] == "t1")
    changed = frame.assign(label=np.where(odd, frame["label"] + 50, frame["label"]))
    kept = {key: value for key, value in inputs.known.items() if key[0] != "out of fold"}
    again = replace(inputs, known={**kept, "predictions": changed})
    second = checked_out_of_fold(again, "toy", "random", "STL")
    of_odd = (first["item_id"] % 2 == 1) & (first["task_id"] == "t1")
    pd.testing.assert_series_equal(first.loc[of_odd, "width_90"], second.loc[of_odd, "width_90"])
    even = (first["item_id"] % 2 == 0) & (first["task_id"] == "t1")
    assert (second.loc[even, "width_90"] > 2 * first.loc[even, "width_90"]).all()


def test_figures_draw_what_the_table_counts(inputs: Inputs) -> None:
    curves, _ = calibration_curves.draw(inputs, "toy")
    calibrated = curves[curves["calibrated"]]
    assert calibrated.groupby("method")["n"].sum().tolist() == [N, N]
    gap = (curves["said"] - curves["observed"]).abs().groupby(curves["calibrated"]).mean()
    assert gap[True] < gap[False]
    held, _ = coverage.draw(inputs, "toy")
    assert held["task_id"].tolist() == ["t1", "t1"]
    errors, _ = error_by_similarity.draw(inputs, "toy")
    far = errors[errors["method"] == "MTL"]
    assert far["ratio"].iloc[0] > 2 * far["ratio"].iloc[-1]
    assert far["limit"].iloc[0] > errors.loc[errors["method"] == "STL", "limit"].iloc[0]


def test_only_studies_that_ask_for_it_have_them(tmp_path: Path) -> None:
    names = ["calibration_curves-toy", "error_by_similarity-toy"]
    asks, not_ = (StudyConfig.model_validate(study) for study in (STUDY, study_of()))
    assert "calibration" in table_names(asks)
    assert {*names} <= {*figure_names(asks)}
    assert "coverage-toy" not in figure_names(asks)  # labels alone
    assert "calibration" not in table_names(not_)
    assert not {*names} & {*figure_names(not_)}
