"""Learning from the labels of training items alone; held-out items are described by their known labels."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import build_method
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.known_labels import Setting, passes, shown_in
from relatask.engine.problem import EVALUATED, Problem, Progress, TrainingResult

LOOP = {
    "imputes": True,
    "options": {"setting": "relational", "known_ratio": 0.2},
    "choices": {"setting": ("relational",)},
    "limits": {"known_ratio": (0.0, 0.9)},
}


class LabelModel(Protocol):
    """What a method of this loop builds."""

    def fit(self, labels: Tensor) -> None:
        """Learn from labels [n, T], NaN where missing."""
        ...

    def predict(self, known: Tensor) -> Tensor:
        """Return the scores [n, T] of items of which labels `known` [n, T] are known, NaN where not."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return all that was learned."""
        ...

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take what another model of the same options has learned."""
        ...


def train(problem: Problem, checkpoint: Checkpoint, progress: Progress) -> TrainingResult:
    """Return the scores of all tasks of the held-out folds, each cell by a pass that does not know it."""
    progress(0.0, "fit")
    model = _fitted(problem)
    setting, scores = Setting.of(problem), {}
    for fold in EVALUATED:
        labels = problem.labels(problem.rows(fold)).double()
        found = torch.zeros_like(labels)
        for one in passes(problem, setting, problem.rows(fold)):
            known = torch.where(one.known, labels, torch.nan)
            found = torch.where(one.predicted, model.predict(known), found)
        scores[fold] = found.float().cpu()
    saved = model.saved() if hasattr(model, "saved") else {}
    return TrainingResult(scores, [], model.state(), shown_in(problem, setting), saved)


def _unfitted(problem: Problem) -> LabelModel:
    """Return the method's model before it has seen a label."""
    method = problem.spec.method
    model: LabelModel = build_method(method.name, method.options, problem.seed("estimator"))
    return model


def _fitted(problem: Problem) -> LabelModel:
    """Return the method's model, fitted to the labels of training."""
    if not len(problem.rows("train")):
        raise RelataskError(f"{problem.title} has no labelled item in training; choose other tasks.")
    model = _unfitted(problem)
    model.fit(problem.labels(problem.rows("train")).double())
    return model


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the scores [n, t] of items at some rows, from all labels that they have."""
    model = _unfitted(problem)
    model.restore({name: value.to(problem.data.labels.device) for name, value in weights.items()})
    return lambda rows: model.predict(problem.labels(rows, None).double()).float()
