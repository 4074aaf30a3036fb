"""Metrics from predictions agree with scikit-learn, and say why where they are not defined."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from rdkit.ML.Scoring.Scoring import CalcBEDROC, CalcEnrichment
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    matthews_corrcoef,
    mean_absolute_error,
    roc_auc_score,
)

from relatask.core.errors import RelataskError
from relatask.core.tables import read_batches, read_table, write_table
from relatask.evaluation.metrics import METRICS
from relatask.evaluation.metrics_table import evaluate, evaluate_batches

ALL = list(METRICS)


def predictions(cells: dict[tuple[str, str, str], tuple[list[float], list[float]]]) -> pd.DataFrame:
    """A `predictions` table from (run, task, fold) -> (labels, scores)."""
    rows = [
        (run, fold, item, task, label, score)
        for (run, task, fold), (labels, scores) in cells.items()
        for item, (label, score) in enumerate(zip(labels, scores, strict=True))
    ]
    frame = pd.DataFrame(rows, columns=["run_id", "fold", "item_id", "task_id", "label", "score"])
    return frame.astype({"label": np.float32, "score": np.float32})


def value(table: pd.DataFrame, metric: str, **where: str) -> float:
    chosen = table[table["metric"] == metric]
    for column, wanted in where.items():
        chosen = chosen[chosen[column] == wanted]
    assert len(chosen) == 1
    return float(chosen["value"].iloc[0])


def test_four_items_by_hand() -> None:
    # scores .1 .4 .35 .8 with labels 0 0 1 1: 3 of 4 pairs in order; AP = (1/1 + 2/3) / 2
    table = evaluate(predictions({("r", "t", "test"): ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])}), ALL)
    assert value(table, "roc_auc") == 0.75
    assert value(table, "average_precision") == pytest.approx(5 / 6)
    assert value(table, "brier") == pytest.approx((0.01 + 0.16 + 0.65**2 + 0.04) / 4, abs=1e-7)
    # one item in each of four bins: |0 - .1| + |0 - .4| + |1 - .35| + |1 - .8| over 4
    assert value(table, "ece") == pytest.approx((0.1 + 0.4 + 0.65 + 0.2) / 4, abs=1e-7)
    assert table[["n", "n_pos"]].drop_duplicates().values.tolist() == [[4, 2]]


def test_calibration_error_cancels_within_a_bin_but_not_between_bins() -> None:
    same = predictions({("r", "t", "test"): ([0, 1], [0.5, 0.5])})
    apart = predictions({("r", "t", "test"): ([0, 1], [0.25, 0.75])})
    assert value(evaluate(same, ["ece"]), "ece") == 0
    assert value(evaluate(apart, ["ece"]), "ece") == 0.25


def test_a_score_of_one_falls_into_the_last_bin() -> None:
    table = evaluate(predictions({("r", "t", "test"): ([1, 0], [1.0, 0.95])}), ["ece"])
    assert value(table, "ece") == pytest.approx(0.95 / 2, abs=1e-6)


@pytest.mark.parametrize("levels", [3, 1000])
def test_every_cell_agrees_with_scikit_learn(levels: int) -> None:
    rng = np.random.default_rng(levels)
    cells = {}
    for run in ("b", "a"):
        for task in ("t2", "t1", "t10"):
            for fold in ("valid", "test"):
                n = int(rng.integers(5, 40))
                labels = np.r_[0, 1, rng.integers(0, 2, n - 2)].astype(float)
                scores = np.float32(rng.integers(0, levels + 1, n) / levels)
                cells[run, task, fold] = (labels.tolist(), scores.tolist())
    shuffled = predictions(cells).sample(frac=1, random_state=0)
    table = evaluate(shuffled, ALL)
    assert len(table) == 12 * len(ALL)
    for (run, task, fold), (labels, scores) in cells.items():
        where = {"run_id": run, "task_id": task, "fold": fold}
        error = mean_absolute_error(labels, scores)
        assert value(table, "mae", **where) == pytest.approx(error, abs=1e-12)
        assert value(table, "roc_auc", **where) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
        assert value(table, "average_precision", **where) == pytest.approx(
            average_precision_score(labels, scores), abs=1e-12
        )
        assert value(table, "brier", **where) == pytest.approx(brier_score_loss(labels, scores), abs=1e-12)


@pytest.mark.parametrize(("label", "reason"), [(0, "no positive"), (1, "no negative")])
def test_one_class_only_gives_no_ranking_metric_and_says_why(label: int, reason: str) -> None:
    binary = [name for name in ALL if METRICS[name].of == "binary"]
    table = evaluate(predictions({("r", "t", "test"): ([label] * 3, [0.2, 0.4, 0.6])}), binary)
    ranking = table["metric"].isin([name for name in binary if METRICS[name].needs_both_classes])
    assert ranking.sum() == 8
    assert table[ranking]["value"].isna().all()
    assert set(table[ranking]["reason"]) == {reason}
    assert table[~ranking]["value"].notna().all()
    assert table[~ranking]["reason"].isna().all()


def test_a_task_without_labels_in_one_fold_keeps_its_cell_there() -> None:
    table = evaluate(
        predictions(
            {
                ("r", "t1", "valid"): ([0, 1], [0.2, 0.3]),
                ("r", "t1", "test"): ([0, 1], [0.2, 0.3]),
                ("r", "t2", "valid"): ([0, 1], [0.2, 0.3]),
                ("s", "t1", "test"): ([0, 1], [0.2, 0.3]),
            }
        ),
        ["roc_auc", "brier"],
    )
    empty = table[table["reason"] == "no label"]
    assert empty[["run_id", "task_id", "fold", "metric"]].astype(str).values.tolist() == [
        ["r", "t2", "test", "roc_auc"],
        ["r", "t2", "test", "brier"],
    ]
    assert empty["value"].isna().all()
    assert empty["n"].tolist() == [0, 0]
    assert len(table) == 2 * 5


def test_rows_are_ordered_whatever_the_order_of_the_predictions() -> None:
    frame = predictions(
        {
            (run, task, fold): ([0, 1], [0.2, 0.3])
            for run in "ba"
            for task in "yx"
            for fold in ("test", "valid")
        }
    )
    table = evaluate(frame, ALL)
    pd.testing.assert_frame_equal(table, evaluate(frame.iloc[::-1], ALL))
    keys = table[["run_id", "task_id", "fold"]].astype(str).drop_duplicates().agg("".join, axis=1).tolist()
    assert keys == ["axvalid", "axtest", "ayvalid", "aytest", "bxvalid", "bxtest", "byvalid", "bytest"]


@pytest.mark.parametrize(
    ("labels", "scores", "said"),
    [
        ([0, 2], [0.1, 0.2], "label 2.0 where 0 or 1"),
        ([0, 1], [0.1, 1.5], "score 1.5 where a probability"),
        ([0, 1], [0.1, float("nan")], "score nan where a probability"),
    ],
)
def test_impossible_labels_and_scores_are_refused(
    labels: list[float], scores: list[float], said: str
) -> None:
    with pytest.raises(RelataskError, match=said) as error:
        evaluate(predictions({("run7", "taskX", "test"): (labels, scores)}), ["roc_auc"])
    assert "run7" in str(error.value)
    assert "taskX" in str(error.value)


def test_batches_of_any_size_give_the_same_table(tmp_path) -> None:
    rng = np.random.default_rng(1)
    runs = [f"{i:02x}" for i in range(7)]
    frame = predictions(
        {
            (run, task, fold): ([0, 1, *rng.integers(0, 2, 7).tolist()], rng.random(9).tolist())
            for run in runs
            for task in ("p", "q")
            for fold in ("valid", "test")
            if run != "03" or task == "q"
        }
    )
    path = tmp_path / "predictions.parquet"
    write_table("predictions", frame, path)
    whole, empty = evaluate_batches(iter([frame]), ALL, [*runs, "ff"])
    assert empty == ["ff"]
    for rows in (1, 10, 18, 50):
        found, _ = evaluate_batches(read_batches("predictions", path, by="run_id", rows=rows), ALL, runs)
        pd.testing.assert_frame_equal(found, whole)
        write_table("metrics", found, tmp_path / "metrics.parquet")
        assert read_table("metrics", tmp_path / "metrics.parquet")["value"].notna().sum() == len(found)


def test_a_run_in_two_places_is_refused(tmp_path) -> None:
    frame = predictions({(run, "t", "test"): ([0, 1], [0.1, 0.2]) for run in "ab"})
    write_table("predictions", pd.concat([frame, frame.iloc[:2]]), tmp_path / "p.parquet")
    with pytest.raises(RelataskError, match="run_id 'a' are not together"):
        list(read_batches("predictions", tmp_path / "p.parquet", by="run_id", rows=2))


def test_a_run_that_nobody_planned_is_refused() -> None:
    frame = predictions({("stray", "t", "test"): ([0, 1], [0.1, 0.2])})
    with pytest.raises(RelataskError, match="'stray', which the plan does not know"):
        evaluate_batches(iter([frame]), ["roc_auc"], ["planned"])


def test_direction_of_every_metric_is_data() -> None:
    better = {name for name, metric in METRICS.items() if metric.higher_is_better}
    assert set(METRICS) - better == {"brier", "ece", "adaptive_ece", "mae", "rmse", "nrmse"}
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200).astype(float)
    good, bad = 0.05 + 0.9 * labels, 0.95 - 0.9 * labels
    for name, metric in METRICS.items():
        told = (labels, 1 - labels) if metric.of == "class" else (good, bad)
        found = []
        for scores in told:  # a decision's threshold is of the good scores
            folds = {"valid": told[0], "test": scores}
            cells = {("r", "t", fold): (labels.tolist(), own.tolist()) for fold, own in folds.items()}
            found.append(value(evaluate(predictions(cells), [name]), name, fold="test"))
        well, badly = found
        assert (well > badly) == metric.higher_is_better


def test_accuracy_is_the_share_of_the_right_classes() -> None:
    frame = predictions(
        {("r", "one", "test"): ([0, 1, 2, 4], [0, 1, 1, 4]), ("r", "other", "test"): ([3, 3], [0, 2])}
    )
    found = evaluate(frame, ["accuracy"]).dropna(subset="value").set_index("task_id")["value"]
    assert found.to_dict() == {"one": 0.75, "other": 0.0}
    for labels, scores, wrong in (([0.5], [1], "label 0.5 where a class"), ([1], [-1], "score -1.0 where a")):
        with pytest.raises(RelataskError, match=wrong):
            evaluate(predictions({("r", "t", "test"): (labels, scores)}), ["accuracy"])


def test_measured_values_are_no_probabilities_and_no_classes() -> None:
    table = evaluate(predictions({("r", "t", "test"): ([-1.5, 2.0, 1.0], [-1.0, 4.0, 1.0])}), ["mae"])
    assert value(table, "mae") == pytest.approx(2.5 / 3)
    assert table["n_pos"].tolist() == [1]
    with pytest.raises(RelataskError, match="score nan where a number was expected"):
        evaluate(predictions({("r", "t", "test"): ([1.0], [np.nan])}), ["mae"])


def scored(rng: np.random.Generator, n: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.r_[0, 1, rng.random(n - 2) < 0.2].astype(np.float64)
    return labels, np.float32(rng.integers(0, levels + 1, n) / levels).astype(np.float64)


def orders(labels: np.ndarray, scores: np.ndarray, of_order: Callable[[list[list[float]]], float]) -> float:
    """The mean over random orders of rows with one score of what a library says of a sorted list."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(2000 if len(np.unique(scores)) < len(scores) else 1):
        order = np.lexsort((rng.random(len(scores)), -scores))
        found.append(of_order([[labels[row]] for row in order]))
    return float(np.mean(found))


@pytest.mark.parametrize(("levels", "within"), [(10_000_000, 1e-9), (4, 0.02)])
def test_early_recognition_agrees_with_rdkit(levels: int, within: float) -> None:
    names = ["bedroc", "enrichment_1", "enrichment_5"]
    for seed in range(3):
        labels, scores = scored(np.random.default_rng(seed), 150, levels)
        table = evaluate(predictions({("r", "t", "test"): (labels.tolist(), scores.tolist())}), names)
        expected = {
            "bedroc": orders(labels, scores, lambda rows: CalcBEDROC(rows, 0, 20.0)),
            "enrichment_1": orders(labels, scores, lambda rows: CalcEnrichment(rows, 0, [0.01])[0]),
            "enrichment_5": orders(labels, scores, lambda rows: CalcEnrichment(rows, 0, [0.05])[0]),
        }
        for name in names:
            assert value(table, name) == pytest.approx(expected[name], rel=within, abs=5 * within), name


def test_decisions_use_the_threshold_of_validation_and_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    cells = {
        (run, task, fold): tuple(own.tolist() for own in scored(rng, 40, 15))
        for run in "ab"
        for task in ("t1", "t2")
        for fold in ("valid", "test")
    }
    scorers = {"threshold_mcc": matthews_corrcoef, "threshold_balanced_accuracy": balanced_accuracy_score}
    table = evaluate(predictions(cells), list(scorers))
    for run, task in {key[:2] for key in cells}:
        for name, scorer in scorers.items():
            labels, scores = map(np.array, cells[run, task, "valid"])
            by_threshold = {cut: scorer(labels, scores >= cut) for cut in sorted(set(scores))}
            best = max(by_threshold.values())
            cut = max(cut for cut, found in by_threshold.items() if found >= best - 1e-12)
            for fold in ("valid", "test"):
                labels, scores = map(np.array, cells[run, task, fold])
                found = value(table, name, run_id=run, task_id=task, fold=fold)
                assert found == pytest.approx(scorer(labels, scores >= cut), abs=1e-12)


def test_a_validation_fold_of_one_class_leaves_decisions_without_a_threshold() -> None:
    cells = {("r", "t", "valid"): ([0, 0], [0.2, 0.3]), ("r", "t", "test"): ([0, 1], [0.2, 0.3])}
    table = evaluate(predictions(cells), ["threshold_mcc"]).set_index("fold")
    assert table["value"].isna().all()
    assert table.loc["test", "reason"] == "validation lacks a class"
    assert table.loc["valid", "reason"] == "no positive"


def test_precision_above_prevalence_is_0_of_equal_scores() -> None:
    table = evaluate(
        predictions({("r", "t", "test"): ([0, 1, 0, 0], [0.5] * 4)}), ["precision_above_prevalence"]
    )
    assert value(table, "precision_above_prevalence") == 0


@pytest.mark.parametrize("levels", [1000, 7])
def test_adaptive_calibration_error_is_that_of_bins_of_equal_numbers(levels: int) -> None:
    labels, scores = scored(np.random.default_rng(1), 95, levels)
    order = np.argsort(scores, kind="stable")
    labels, scores = labels[order], scores[order]
    shared = np.array([labels[scores == score].mean() for score in scores])
    bins = 10 * np.arange(95) // 95
    gaps = [abs((shared - scores)[bins == one].sum()) for one in range(10)]
    table = evaluate(predictions({("r", "t", "test"): (labels.tolist(), scores.tolist())}), ["adaptive_ece"])
    assert value(table, "adaptive_ece") == pytest.approx(sum(gaps) / 95, abs=1e-12)
    assert min(np.bincount(bins)) >= 9
