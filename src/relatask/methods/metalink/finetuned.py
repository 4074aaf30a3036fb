"""Training on seen tasks, then a linear classifier on the frozen encoder for each unseen one (Baseline++)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from torch import Tensor

from relatask.engine.known_labels import passes, support_by_pass, support_rows
from relatask.engine.loops.supervised import predict
from relatask.engine.network import autocast
from relatask.engine.problem import Problem
from relatask.methods.metalink import episodic

CROSSED = 3  # parts of cross-validation; each needs both classes
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # inverse penalties that are tried
LOOP = {
    "holds_out_tasks": {"setting": ("meta",)},
    "options": {"setting": "meta", "shots": 256, "unseen": 0.2},
    "choices": {"setting": ("standard", "meta")},
    "limits": {"shots": (2, 100_000), "unseen": (0.01, 0.99)},
}


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the probabilities [n, T] of items at some rows."""
    return Training(problem, weights).probabilities


support = support_by_pass


class Training(episodic.Training):
    """A network of the seen tasks; what is held out, and the support, are as for other methods."""

    def take_step(self, batch: Tensor) -> None:
        """One update on the items at positions `batch`, on the labels of seen tasks."""
        labels = self.labels(batch)
        with autocast(self.problem):
            logits = self.model(self.inputs(batch))
        losses = self.model.losses(logits.float(), labels)
        self.learn_from(losses.sum() / (~labels.isnan()).any(0).sum())

    def predict(self, rows: Tensor, tasks: Tensor | None = None) -> Tensor:
        """Return logits [n, T] by the network's own classifiers; those of unseen tasks mean nothing."""
        logits = predict(self.model, self.problem, rows)
        self.require_finite(float(logits.sum()))
        return logits

    def probabilities(self, rows: Tensor) -> Tensor:
        """Return the probabilities [n, T] of label 1, of unseen tasks by classifiers of the support."""
        logits = self.predict(rows)
        if not self.setting.meta:
            return logits.sigmoid()
        with torch.inference_mode():
            first = next(passes(self.problem, self.setting, rows))  # which predicts the unseen tasks
            support = support_rows(self.problem, self.setting, first)
            known, asked = (F.normalize(self._encode(part), dim=1).cpu().numpy() for part in (support, rows))
        labels = self.problem.labels(support).cpu().numpy()
        for task in self.setting.unseen.nonzero()[:, 0].tolist():
            here = labels[:, task] == labels[:, task]  # not NaN
            targets = labels[here, task]
            logits[:, task] = 0
            if len(asked) and len(set(targets.tolist())) == 2:
                scores = _classifier(targets).fit(known[here], targets).decision_function(asked)
                logits[:, task] = torch.from_numpy(scores).to(logits)
        return logits.sigmoid()


def _classifier(targets: np.ndarray) -> Any:
    """Return an unfitted linear classifier, whose penalty the support chooses where it has enough labels."""
    classifier = LogisticRegression(max_iter=1000)
    if np.unique(targets, return_counts=True)[1].min() < CROSSED:
        return classifier
    return GridSearchCV(classifier, {"C": STRENGTHS}, scoring="neg_log_loss", cv=CROSSED)
