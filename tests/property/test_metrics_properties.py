"""What must hold for metrics of any predictions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from relatask.evaluation.metrics import METRICS
from relatask.evaluation.metrics_table import evaluate

OWN = [name for name, metric in METRICS.items() if metric.of_counts is None]  # others read validation too

cell = st.lists(st.tuples(st.booleans(), st.integers(0, 64)), min_size=1, max_size=20)  # label, score x 64
studies = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from(["valid", "test"])),
    cell,
    min_size=1,
    max_size=8,
)


def as_frame(study: dict) -> pd.DataFrame:
    rows = [
        (run, fold, item, task, float(label), score / 64)
        for (run, task, fold), items in study.items()
        for item, (label, score) in enumerate(items)
    ]
    frame = pd.DataFrame(rows, columns=["run_id", "fold", "item_id", "task_id", "label", "score"])
    return frame.astype({"label": np.float32, "score": np.float32})


def as_dict(table: pd.DataFrame) -> dict:
    key = table[["run_id", "task_id", "fold", "metric"]].astype(str).itertuples(index=False, name=None)
    return dict(zip(key, table["value"], strict=True))


def slow_ece(labels: np.ndarray, scores: np.ndarray) -> float:
    bins = [(scores >= b / 10) & ((scores < (b + 1) / 10) | (b == 9)) for b in range(10)]
    return sum(m.sum() / len(labels) * abs(labels[m].mean() - scores[m].mean()) for m in bins if m.any())


@settings(max_examples=60)
@given(studies)
def test_every_value_is_what_the_definition_gives(study: dict) -> None:
    found = as_dict(evaluate(as_frame(study), list(METRICS)))
    for key, items in study.items():
        labels, scores = np.array([x for x, _ in items], float), np.array([s / 64 for _, s in items])
        assert found[*key, "brier"] == pytest.approx(((labels - scores) ** 2).mean(), abs=1e-12)
        assert found[*key, "ece"] == pytest.approx(slow_ece(labels, scores), abs=1e-12)
        if 0 < labels.sum() < len(labels):
            assert found[*key, "roc_auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
            precision = average_precision_score(labels, scores)
            assert found[*key, "average_precision"] == pytest.approx(precision, abs=1e-12)
            assert found[*key, "brier"] == pytest.approx(brier_score_loss(labels, scores), abs=1e-12)
        else:
            assert np.isnan(found[*key, "roc_auc"])
            assert np.isnan(found[*key, "average_precision"])


@settings(max_examples=40)
@given(studies, st.randoms(use_true_random=False))
def test_order_of_rows_and_other_cells_change_nothing(study: dict, random) -> None:
    frame = as_frame(study)
    rows = list(range(len(frame)))
    random.shuffle(rows)
    together = as_dict(evaluate(frame.iloc[rows], OWN))
    for key, items in study.items():
        alone = as_dict(evaluate(as_frame({key: items}), OWN))
        for name, value in alone.items():
            assert together[name] == pytest.approx(value, abs=1e-12, nan_ok=True)


@settings(max_examples=40)
@given(cell)
def test_auc_of_flipped_scores_is_the_complement_and_ignores_monotone_changes(items: list) -> None:
    def auc(change) -> float:
        frame = as_frame({("a", "x", "test"): items})
        frame["score"] = change(frame["score"].to_numpy())
        return evaluate(frame, ["roc_auc"])["value"].iloc[0]

    plain = auc(lambda score: score)
    assert auc(lambda score: 1 - score) == pytest.approx(1 - plain, abs=1e-12, nan_ok=True)
    assert auc(lambda score: score**2 / 2) == pytest.approx(plain, abs=1e-12, nan_ok=True)


@settings(max_examples=40)
@given(studies)
def test_a_value_is_missing_exactly_where_a_reason_is_given(study: dict) -> None:
    table = evaluate(as_frame(study), list(METRICS))
    assert (table["value"].isna() == table["reason"].notna()).all()
    assert (table["n_pos"] <= table["n"]).all()
