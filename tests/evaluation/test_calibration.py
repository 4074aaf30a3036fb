"""What predictions out of fold teach, and that nothing is learned from what it is checked on."""

import numpy as np
import pandas as pd
import pytest

from relatask.evaluation.calibration import calibration_of
from relatask.evaluation.coverage import cross_fitted, per_task, with_parts
from relatask.evaluation.out_of_fold import out_of_fold
from relatask.evaluation.probabilities import calibrated, fit_map
from tests.helpers.out_of_fold import values


def test_probabilities_that_are_too_bold_become_right_and_useless_ones_the_prevalence() -> None:
    rng = np.random.default_rng(0)
    logit = rng.normal(-1, 1.2, 6_000)
    label = (rng.random(len(logit)) < 1 / (1 + np.exp(-logit))).astype(float)
    bold = 1 / (1 + np.exp(-(3 * logit + 1)))
    a, b, c = fit_map(bold, label)
    assert (a, b) == pytest.approx((1 / 3, 1 / 3), abs=0.05)
    assert c == pytest.approx(-1 / 3, abs=0.1)
    usual = np.abs(logit) < 3  # nearer to 0 or 1 than 1 in 12,000 a score counts as that
    right = 1 / (1 + np.exp(-logit[usual]))
    np.testing.assert_allclose(calibrated(bold[usual], (a, b, c), len(bold)), right, atol=0.03)
    found = calibrated(1 - bold, fit_map(1 - bold, label), len(bold))  # falls: it says nothing of value
    np.testing.assert_allclose(found, label.mean(), atol=1e-3)
    few = fit_map(bold[:40], label[:40])  # Platt's
    assert few[0] == few[1] > 0


def test_items_that_a_model_trained_on_are_left_out_and_others_have_the_mean_over_models() -> None:
    rows = [("r", 1, 0.2), ("r", 2, 0.4), ("s", 1, 0.6), ("s", 3, 0.8)]
    given = pd.DataFrame(rows, columns=["run_id", "item_id", "score"])
    frame = pd.concat(
        [given.assign(task_id="a", label=1.0), given.assign(task_id="c", label=2.0, score=[2, 2, 1, 0])]
    )
    training = {"r": np.array([2, 5]), "s": np.array([7])}
    near = {"r": pd.Series({1: 0.5, 2: 0.5}), "s": pd.Series({1: 0.7})}  # nothing is known of item 3
    kinds = {"a": "binary", "c": "class"}
    found = out_of_fold(frame, training, kinds, {"r": "0", "s": "1"}, near)  # type: ignore[arg-type]
    assert found[["item_id", "task_id"]].to_numpy().tolist() == [[1, "a"], [1, "c"]]
    assert found["score"].tolist() == pytest.approx([0.4, 1.0])  # of 2 and 1, named as often, the first
    assert found["similarity"].tolist() == pytest.approx([0.6, 0.6])
    assert found["fold"].tolist() == ["0", "0"]
    assert len(out_of_fold(frame, training, kinds, {"r": "0", "s": "1"})) == 4  # type: ignore[arg-type]


def test_where_every_item_was_trained_on_nothing_is_said() -> None:
    """As in splits that hold out labels and not items."""
    given = pd.DataFrame({"run_id": ["r"], "item_id": [1], "task_id": ["a"], "label": [1.0], "score": [0.5]})
    found = out_of_fold(given, {"r": np.array([1])}, {"a": "real"}, {"r": "0"})
    assert len(found) == 0
    calibration = calibration_of(found, {"a": "real"})
    assert calibration.tasks["a"].lacks(0.5) == "no label was predicted out of fold"
    assert calibration.limit is None
    assert len(per_task(cross_fitted(with_parts(found), {"a": "real"}))) == 0


def test_intervals_follow_the_similarity_and_hold_as_often_near_as_far() -> None:
    found, new = calibration_of(values(4000), {"a": "real"}), values(4000, seed=1)
    task, similarity = found.tasks["a"], new["similarity"].to_numpy()
    half = task.half_widths(0.9, found.relative("real", similarity), len(new))
    held = (new["label"] - new["score"]).abs() <= half
    for part in (similarity < 0.3, similarity > 0.7, similarity >= 0):
        assert held[part].mean() == pytest.approx(0.9, abs=0.03)
    plain = task.half_widths(0.9, None, len(new))
    apart = (new["label"] - new["score"]).abs() <= plain
    assert apart.mean() == pytest.approx(0.9, abs=0.02)
    assert apart[similarity < 0.3].mean() < 0.8  # which is what similarity is for
    errors = found.errors(task, similarity)
    assert errors[similarity < 0.1].mean() == pytest.approx(2.86, rel=0.15)
    assert errors[similarity > 0.9].mean() == pytest.approx(0.44, rel=0.25)


def test_a_molecule_is_in_the_domain_where_predictions_are_better_than_the_mean() -> None:
    """The error is 3 - 2.7 s and the deviation 2, so they meet at 0.37."""
    found = calibration_of(values(4000), {"a": "real"})
    assert found.limit == pytest.approx(0.37, abs=0.08)
    worthless = values().assign(score=lambda frame: frame["score"] + 9)
    assert calibration_of(worthless, {"a": "real"}).limit == np.inf
    good = values().assign(score=lambda frame: frame["label"] + 0.01 * frame["score"])
    limit = calibration_of(good, {"a": "real"}).limit
    assert limit == pytest.approx(np.sort(good["similarity"])[19])  # nothing is known of less similar ones


def test_a_value_that_is_far_off_does_not_decide_the_domain_of_all_tasks() -> None:
    wild = values().assign(task_id="wild")
    wild.loc[wild["similarity"].idxmax(), "score"] = 1e6
    good = values().assign(score=lambda frame: frame["label"] + 0.01 * frame["score"])
    found = calibration_of(pd.concat([good, wild]), {"a": "real", "wild": "real"})
    assert found.limit is not None
    assert found.limit < 0.5


def test_what_is_said_of_a_part_is_learned_from_the_others_alone() -> None:
    frame = with_parts(values())
    assert frame.groupby("item_id")["part"].nunique().max() == 1
    said = ["width_80", "width_90"]
    first = cross_fitted(frame, {"a": "real"})
    own = frame["part"] == 2
    changed = frame.assign(label=np.where(own, 100.0, frame["label"]))
    second = cross_fitted(changed, {"a": "real"})
    part = (first["part"] == 2).to_numpy()
    pd.testing.assert_frame_equal(first.loc[part, said], second.loc[part, said])
    assert (first.loc[~part, said] != second.loc[~part, said]).all(axis=None)
    (row,) = per_task(first).to_dict("records")
    assert row["n"] == 600
    assert row["coverage_80"] == pytest.approx(0.8, abs=0.03)
    assert row["coverage_90"] == pytest.approx(0.9, abs=0.03)
    once = with_parts(values().assign(fold="0"))  # one test fold for all models
    assert once["part"].nunique() == 5


def test_too_few_labels_are_told_and_nothing_is_calibrated() -> None:
    frame = values(60).assign(label=0.0, score=0.5)
    frame.loc[:2, "label"] = 1.0
    frame = pd.concat([frame, values(5).assign(task_id="few")])
    kinds = {"a": "binary", "few": "real", "none": "class"}
    found = calibration_of(frame, kinds)  # type: ignore[arg-type]
    assert found.tasks["a"].lacks(0.9) == "too few labels to calibrate: 3 of label 1, 10 are needed"
    assert np.isnan(found.tasks["a"].probabilities(np.array([0.5]))).all()
    assert found.tasks["few"].lacks(0.8) == ""
    assert found.tasks["few"].lacks(0.9) == "too few labels to calibrate: 5, 9 are needed for 90 %"
    assert found.tasks["none"].lacks(0.9) == "no label was predicted out of fold"
    held = per_task(cross_fitted(with_parts(frame), kinds))  # type: ignore[arg-type]
    assert held["task_id"].tolist() == ["few"]


def test_classes_have_sets_and_calibrated_labels_an_error_of_their_own() -> None:
    rng = np.random.default_rng(0)
    n = 900
    truth = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    score = np.where(rng.random(n) < 0.7, truth, rng.choice(3, n))
    base = values(n)
    classes = base.assign(task_id="c", label=truth, score=score)
    labels = base.assign(task_id="b", label=(truth == 0) * 1.0, score=np.where(truth == 0, 0.9, 0.4))
    kinds = {"c": "class", "b": "binary"}
    frame = with_parts(pd.concat([classes, labels]).astype({"label": float, "score": float}))
    held = per_task(cross_fitted(frame, kinds)).set_index("task_id")  # type: ignore[arg-type]
    assert held.loc["c", "coverage_80"] >= 0.78
    assert held.loc["c", "width_80"] < held.loc["c", "width_90"] < 3
    assert held.loc["b", "ece_calibrated"] < 0.05 < held.loc["b", "ece"]
    found = calibration_of(frame, kinds)  # type: ignore[arg-type]
    task = found.tasks["c"]
    assert task.set_of(0, 0.8, 3)[0] == 0
    assert task.set_of(2, 0.999, 5) == [*dict.fromkeys([2, 0, 1, *task.set_of(2, 0.999, 5)])]
    assert (found.errors(found.tasks["b"], np.array([0.1, 0.9])) <= 1).all()
