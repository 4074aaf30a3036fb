"""Gradient boosting per task on ECFP4 bits, or other vectors, by histograms (scikit-learn's implementation).

Not LightGBM, whose wheel needs a system library that a bare machine lacks, and not XGBoost, which pulls
CUDA packages.
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

CAPABILITIES = {
    "summary": "gradient boosting per task on ECFP4",
    "label": "GB",
    "paper": "friedman_2001",
    "inputs": ("ecfp", "vectors"),
    "loop": "estimator",
    "per_task": True,
    "kinds": ("binary", "real", "class"),
    "weights": ("items", "classes"),
    "encoders": "none",
    "cost_in_tasks": "O(T)",
    "microseconds": 1500.0,
    "cost_options": ("max_iter",),
    "options": {"max_iter": 100, "learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 20},
    "limits": {
        "max_iter": (1, 1_000_000),
        "learning_rate": (1e-6, 10.0),
        "max_leaf_nodes": (2, 1_000_000),
        "min_samples_leaf": (1, 1_000_000),
    },
    "space": {
        "learning_rate": {"least": 0.02, "greatest": 0.3, "log": True},
        "max_leaf_nodes": {"least": 8, "greatest": 128, "log": True},
        "min_samples_leaf": {"least": 5, "greatest": 50, "log": True},
    },
}


class BoostingOnBits(BaseEstimator):
    """Histogram boosting, of classes or of `real` values, that leaves out columns no tree can split on.

    A split needs `min_samples_leaf` training items on both sides, so e.g. a bit that fewer items have, or
    lack, is never used: leaving it out changes no prediction and most of ECFP's 2,048 bits go.
    """

    def __init__(
        self,
        seed: int,
        max_iter: int,
        learning_rate: float,
        max_leaf_nodes: int,
        min_samples_leaf: int,
        real: bool = False,
    ):
        self.real = real
        self.seed = seed
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf

    def fit(
        self, bits: np.ndarray, labels: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> "BoostingOnBits":
        """Fit on bits uint8, or numbers float32, [n, d] and labels [n] and weights [n]."""
        self.columns_ = np.flatnonzero(_can_split(bits, self.min_samples_leaf))
        if not len(self.columns_):
            self.columns_ = np.array([0])  # one column that cannot be split: the prediction is the prevalence
        boosting = HistGradientBoostingRegressor if self.real else HistGradientBoostingClassifier
        self.model_ = boosting(
            max_iter=self.max_iter,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            early_stopping=False,  # it would cut a validation set out of the training fold
            random_state=self.seed,
        ).fit(bits[:, self.columns_], labels, sample_weight)
        return self

    def predict(self, bits: np.ndarray) -> np.ndarray:
        """Return the likeliest classes, or values, [n]."""
        found: np.ndarray = self.model_.predict(bits[:, self.columns_])
        return found

    def predict_proba(self, bits: np.ndarray) -> np.ndarray:
        """Return the probabilities [n, 2] of labels 0 and 1."""
        found: np.ndarray = self.model_.predict_proba(bits[:, self.columns_])
        return found


def _can_split(columns: np.ndarray, least: int) -> np.ndarray:
    """Return which columns of [n, d] a threshold splits into two parts of `least` items or more, bool [d]."""
    n = len(columns)
    if columns.dtype == np.uint8:  # bits
        ones = columns.sum(0, dtype=np.int64)
        found: np.ndarray = np.minimum(ones, n - ones) >= least
        return found
    if n < 2 * least:
        return np.zeros(columns.shape[1], bool)
    ranked = np.partition(columns, (least - 1, n - least), axis=0)
    found = ranked[least - 1] < ranked[n - least]
    return found


def build(
    seed: int, max_iter: int, learning_rate: float, max_leaf_nodes: int, min_samples_leaf: int
) -> BoostingOnBits:
    """Return the untrained classifier of one task."""
    return BoostingOnBits(seed, max_iter, learning_rate, max_leaf_nodes, min_samples_leaf)


def build_for(kind: str, seed: int, **options: Any) -> BoostingOnBits:
    """Return the untrained estimator of a task of kind real or class."""
    return BoostingOnBits(seed, **options, real=kind == "real")
