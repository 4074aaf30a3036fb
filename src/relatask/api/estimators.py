"""Models of molecules as estimators of scikit-learn: one training run for each `fit`.

Several tasks are the columns of `y`, with NaN where a molecule has no label, as all methods here read them.
"""

import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.utils.validation import check_is_fitted

from relatask.api.fit import fit_table
from relatask.core.errors import RelataskError
from relatask.models.prediction import load

Array = np.ndarray
THRESHOLD = 0.5  # probability from which a label is predicted as 1


class _MoleculeEstimator(BaseEstimator):
    """What both have in common.

    Args:
        method: a file of relatask.methods; `relatask list` names them.
        encoder: a file of relatask.encoders; None for methods that have none.
        inputs: what the encoder or method reads, e.g. ``["descriptors", "ecfp"]``; None: what it reads
            anyway.
        options: of the method.
        encoder_options: of the encoder.
        training: epochs, batch_size, learning_rate, patience and so on, as in a study.
        validation: share of molecules that choose the epoch; they are not trained on.
        seed: of the draws.
    """

    kind: str

    def __init__(
        self,
        method: str = "shared_bottom",
        encoder: str | None = "fingerprint_mlp",
        inputs: Sequence[str] | None = None,
        options: Mapping[str, Any] | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        validation: float = 0.1,
        seed: int = 0,
    ):
        self.method = method
        self.encoder = encoder
        self.inputs = inputs
        self.options = options
        self.encoder_options = encoder_options
        self.training = training
        self.validation = validation
        self.seed = seed

    def fit(self, X: Sequence[str], y: Any) -> Self:
        """Train on SMILES and their labels.

        Args:
            X: SMILES, n of them.
            y: labels [n] or [n, T], NaN where there is none; the columns of a DataFrame name the tasks.

        Raises:
            RelataskError: a setting is wrong, or the labels cannot be used.
        """
        labels = y if isinstance(y, pd.DataFrame) else pd.DataFrame(np.asarray(y, np.float64))
        smiles = [str(text) for text in np.asarray(X, object).ravel()]
        if len(labels) != len(smiles):
            raise RelataskError(f"y has {len(labels)} rows for {len(smiles)} molecules; give one for each.")
        self.tasks_ = [f"task{name}" if isinstance(name, int) else str(name) for name in labels.columns]
        self.n_outputs_ = len(self.tasks_)
        self.is_single_ = np.ndim(y) == 1
        named = labels.set_axis(self.tasks_, axis=1).reset_index(drop=True)
        table = pd.concat([pd.DataFrame({"smiles": smiles}), named], axis=1)
        row = {
            key: value
            for key, value in self.get_params().items()
            if key not in {"validation", "seed"} and value is not None
        }
        with TemporaryDirectory(prefix="relatask-") as folder:
            place = fit_table(table, self.kind, row, self.validation, self.seed, Path(folder))
            files = [path for path in sorted(place.rglob("*")) if path.is_file()]
            self.files_ = {str(path.relative_to(place)): path.read_bytes() for path in files}
        self._load()
        return self

    def _load(self) -> None:
        self._folder = TemporaryDirectory(prefix="relatask-")
        for name, content in self.files_.items():
            path = Path(self._folder.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self._model = load(self._folder.name)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what the model's files say."""
        return {name: value for name, value in self.__dict__.items() if name not in {"_folder", "_model"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Load the model again."""
        self.__dict__.update(state)
        if "files_" in state:
            self._load()

    def save(self, folder: str | Path) -> None:
        """Write the model for `relatask.load` and `relatask predict`."""
        check_is_fitted(self)
        for name, content in self.files_.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def _scores(self, X: Sequence[str]) -> Array:
        """Return what the model says [n, T]; NaN of a molecule that cannot be read, with a warning."""
        check_is_fitted(self)
        found = self._model.predict([str(text) for text in np.asarray(X, object).ravel()])
        if n_lost := int(found["reason"].notna().sum()):
            first = found["reason"].dropna().iloc[0]
            warnings.warn(f"{n_lost} molecules have no prediction, e.g. {first}", stacklevel=3)
        names = {name: task for task, name in self._model.names.items()}
        known = [names.get(task) for task in self.tasks_]
        scores = np.full((len(found), self.n_outputs_), np.nan)
        for column, task in enumerate(known):
            if task is not None:
                scores[:, column] = found[task]
        return scores

    @abstractmethod
    def _quality(self, labels: Array, scores: Array) -> float:
        """Return how good the scores of one task are."""

    def score(self, X: Sequence[str], y: Any, sample_weight: None = None) -> float:
        """Return the mean over tasks of ROC-AUC or R2, over labels that are there.

        Raises:
            RelataskError: no task has labels by which it can be measured.
        """
        labels = np.asarray(y, np.float64).reshape(len(X), -1)
        scores = self._scores(X)
        found = []
        for own, said in zip(labels.T, scores.T, strict=True):
            there = ~np.isnan(own) & ~np.isnan(said)
            if len(np.unique(own[there])) > 1:
                found.append(self._quality(own[there], said[there]))
        if not found:
            raise RelataskError("no task has two different labels to be measured by.")
        return float(np.mean(found))


class MoleculeClassifier(ClassifierMixin, _MoleculeEstimator):
    """A classifier of molecules for labels 0 and 1; several tasks are several columns of `y`."""

    kind = "binary"
    score = _MoleculeEstimator.score  # that of the mixin knows no label that is missing
    classes_ = np.array([0, 1])

    def predict_proba(self, X: Sequence[str]) -> Array:
        """Return probabilities: [n, 2] of one task given as a vector, else those of label 1, [n, T]."""
        scores = self._scores(X)
        return np.hstack([1 - scores, scores]) if self.is_single_ else scores

    def predict(self, X: Sequence[str]) -> Array:
        """Return labels 0 and 1, [n] or [n, T]; NaN where there is no probability."""
        scores = self._scores(X)
        labels = np.where(np.isnan(scores), np.nan, scores >= THRESHOLD)
        return labels[:, 0] if self.is_single_ else labels

    def _quality(self, labels: Array, scores: Array) -> float:
        return float(roc_auc_score(labels, scores))


class MoleculeRegressor(RegressorMixin, _MoleculeEstimator):
    """A regressor of measured values of molecules; several tasks are several columns of `y`."""

    kind = "real"
    score = _MoleculeEstimator.score

    def predict(self, X: Sequence[str]) -> Array:
        """Return values, [n] or [n, T]."""
        scores = self._scores(X)
        return scores[:, 0] if self.is_single_ else scores

    def _quality(self, labels: Array, scores: Array) -> float:
        return float(r2_score(labels, scores))
