"""The metric that selects an epoch is scikit-learn's ROC-AUC, for many tasks at once."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from relatask.engine.kinds import mean_metric, metric_by_task


def literal(labels: np.ndarray, scores: np.ndarray) -> float:
    known = ~np.isnan(labels)
    if len(np.unique(labels[known])) < 2:
        return math.nan
    return roc_auc_score(labels[known], scores[known])


@settings(max_examples=100)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 40),
    n_tasks=st.integers(1, 6),
    n_scores=st.sampled_from([1, 2, 5, 10_000]),  # few distinct scores: many ties
    missing=st.sampled_from([0.0, 0.5, 0.95]),
    positive=st.sampled_from([0.02, 0.5]),
)
def test_equals_scikit_learn_with_ties_missing_labels_and_one_class(
    seed, n, n_tasks, n_scores, missing, positive
):
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, n_tasks)) < positive).astype(np.float32)
    labels[rng.random(labels.shape) < missing] = np.nan
    scores = (rng.integers(n_scores, size=labels.shape) - n_scores // 2).astype(np.float32)
    found = metric_by_task("roc_auc", torch.from_numpy(labels), torch.from_numpy(scores)).numpy()
    expected = [literal(labels[:, task], scores[:, task]) for task in range(n_tasks)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12, equal_nan=True)


def test_the_mean_is_over_tasks_with_both_classes():
    labels = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, math.nan], [1.0, 1.0, 1.0]])
    scores = torch.tensor([[0.9, 0.1, 0.2], [0.5, 0.2, 0.9], [0.4, 0.3, 0.8]])
    assert mean_metric("roc_auc", labels, scores) == pytest.approx((0.5 + 1.0) / 2)


@pytest.mark.parametrize("labels", [torch.zeros(0, 3), torch.ones(4, 2), torch.full((4, 2), math.nan)])
def test_the_mean_is_undefined_without_a_task_of_both_classes(labels):
    assert math.isnan(mean_metric("roc_auc", labels, torch.zeros_like(labels)))
