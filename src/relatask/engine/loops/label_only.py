"""Learning from the labels of training items alone; held-out items are told by known labels."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import load, own_options
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.known_labels import Setting, passes, shown_in
from relatask.engine.unit import EVALUATED, Progress, Unit, UnitResult

LOOP = {
    "imputes": True,
    "has_weights": False,
    "options": {"setting": "relational", "known_ratio": 0.2},
    "choices": {"setting": ("relational",)},
    "limits": {"known_ratio": (0.0, 0.9)},
}


def train(unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Return the scores of all tasks of the held-out folds, each cell by a pass that does not know it."""
    progress(0.0, "fit")
    model = _fitted(unit)
    setting, scores = Setting.of(unit), {}
    for fold in EVALUATED:
        labels = unit.labels(unit.rows(fold)).double()
        found = torch.zeros_like(labels)
        for one in passes(unit, setting, unit.rows(fold)):
            known = torch.where(one.known, labels, torch.nan)
            found = torch.where(one.predicted, model.predict(known), found)
        scores[fold] = found.float().cpu()
    saved = model.saved() if hasattr(model, "saved") else {}
    return UnitResult(scores, [], shown=shown_in(unit, setting), saved=saved)


def _fitted(unit: Unit) -> Any:
    """Return the method's model, fitted to the labels of training."""
    if not len(unit.rows("train")):
        raise RelataskError(f"{unit.title} has no labelled item in training; choose other tasks.")
    options = own_options(unit.spec.method, unit.spec.options)
    model = load("methods", unit.spec.method).build(unit.seed("estimator"), **options)
    model.fit(unit.labels(unit.rows("train")).double())
    return model


def imputer(unit: Unit, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the scores [n, t] of items at some rows, told all labels that these have.

    The fit takes seconds and is made again: the journal keeps no weights of it.
    """
    model = _fitted(unit)
    return lambda rows: model.predict(unit.labels(rows, None).double()).float()
