"""The scikit-learn baselines: one classifier per task on that task's labelled molecules."""

import logging
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_info

from relatask.core.registry import capabilities
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.loops import estimator
from relatask.engine.run import train_run
from relatask.methods.gradient_boosting import build
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset


def bits_with_structure(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Bits of all frequencies, some equal to others, and labels that depend on a few."""
    rng = np.random.default_rng(seed)
    bits = (rng.random((n, 300)) < rng.beta(0.5, 2.0, 300)).astype(np.uint8)
    bits[:, 10], bits[:, 20], bits[:, 30] = bits[:, 11], 1 - bits[:, 21], 0
    common = np.argsort(-bits.sum(0))[5:9]
    logits = bits[:, common].sum(1) - 1.5 + rng.normal(size=n)
    return bits, (logits > 0).astype(int)


@pytest.mark.parametrize("min_samples_leaf", [1, 5, 20])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_boosting_without_bits_that_cannot_be_split_is_exact(min_samples_leaf, seed):
    bits, labels = bits_with_structure(250, seed)
    model = build(seed, 30, 0.1, 31, min_samples_leaf).fit(bits[:200], labels[:200])
    full = HistGradientBoostingClassifier(
        max_iter=30, min_samples_leaf=min_samples_leaf, early_stopping=False, random_state=seed
    ).fit(bits[:200], labels[:200])
    assert np.array_equal(model.predict_proba(bits), full.predict_proba(bits))
    ones = bits[:200].sum(0)
    splittable = (ones >= min_samples_leaf) & (200 - ones >= min_samples_leaf)
    assert 0 < splittable.sum() == len(model.columns_) < 300
    assert len(np.unique(model.predict_proba(bits))) > 50, "no tree was grown: the test shows nothing"


def test_boosting_where_no_bit_can_be_split_predicts_the_prevalence():
    bits, labels = bits_with_structure(30, 0)
    scores = build(0, 20, 0.1, 31, 20).fit(bits, labels).predict_proba(bits)[:, 1]
    assert scores == pytest.approx(labels.mean(), abs=1e-6)


@pytest.mark.parametrize("method", ["random_forest", "gradient_boosting", "single_task"])
@pytest.mark.parametrize(
    ("seen", "score", "message"),
    [(1.0, 1.0, "only label 1"), (0.0, 0.0, "only label 0"), (None, 0.5, "no label")],
)
def test_a_task_of_one_class_gets_its_prevalence_and_the_log_says_so(
    tmp_path, caplog, method, seen, score, message
):
    labels = random_labels(60, 3)
    folds = (["train", "train", "train", "valid", "test"] * 12)[:60]
    training = np.array(folds) == "train"
    labels[training, 1] = np.nan if seen is None else np.where(np.isnan(labels[training, 1]), np.nan, seen)
    spec = make_spec(method, "fingerprint_mlp" if method == "single_task" else None)
    data = PreparedDataset.load(write_dataset(tmp_path, labels), "scaffold-0", inputs="ecfp")
    with caplog.at_level(logging.INFO):
        checkpoint = Checkpoint(tmp_path / "none.pt", "")
        predictions = train_run(spec, data, checkpoint, lambda share, text: None, True).predictions
    assert f"task task1 has {message} in training; every score is {score}" in caplog.text
    task1 = predictions[predictions["task_id"] == "task1"]
    assert len(task1) == (~np.isnan(labels[~training, 1])).sum() > 0
    assert (task1["score"] == score).all()
    assert predictions.loc[predictions["task_id"] != "task1", "score"].nunique() > 2


def test_a_classifier_sees_only_labelled_molecules_and_uses_the_shards_threads(tmp_path, monkeypatch):
    labels = random_labels(60, 3)
    fitted: list[tuple[int, int]] = []
    limits: set[int] = set()

    class Spy:
        def fit(self, bits: np.ndarray, labels: np.ndarray) -> None:
            assert not np.isnan(labels).any()
            fitted.append(bits.shape)
            limits.update(entry["num_threads"] for entry in threadpool_info())

        def predict_proba(self, bits: np.ndarray) -> np.ndarray:
            return np.full((len(bits), 2), 0.5)

    module = type("Module", (), {"build": staticmethod(lambda seed, **options: Spy())})
    monkeypatch.setattr(estimator, "load", lambda kind, name: module)
    data = PreparedDataset.load(write_dataset(tmp_path, labels), "scaffold-0", inputs="ecfp")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    checkpoint = Checkpoint(tmp_path / "none.pt", "")
    train_run(make_spec("random_forest", None), data, checkpoint, lambda share, text: None, True)
    torch.set_num_threads(threads)
    training = data.labels[data.folds["train"]]
    assert fitted == [(int((~training[:, task].isnan()).sum()), 2048) for task in range(3)]
    assert limits == {1}


def test_no_estimator_asks_for_more_threads_of_its_own():
    from relatask.methods import random_forest

    forest = random_forest.build(0, **capabilities("methods", "random_forest").options)
    assert forest.n_jobs == 1
    assert forest.n_estimators == 300
    assert math.isclose(forest.get_params()["min_samples_leaf"], 1)


def test_the_options_reach_scikit_learn(tmp_path: Path):
    model = build(3, 7, 0.2, 5, 2)
    bits, labels = bits_with_structure(100, 0)
    inner = model.fit(bits, labels).model_
    assert (inner.max_iter, inner.learning_rate, inner.max_leaf_nodes, inner.min_samples_leaf) == (
        7,
        0.2,
        5,
        2,
    )
    assert inner.n_iter_ == 7
