"""Fit a scikit-learn classifier on the fingerprints of one task's labelled molecules."""

import logging

import numpy as np
import torch
from torch import Tensor

from relatask.registry import load
from relatask.training.checkpoint import Checkpoint
from relatask.training.unit import EVALUATED, Progress, Unit, UnitResult

log = logging.getLogger(__name__)


def train(unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Return the scores of the unit's task; one class in training gives its prevalence everywhere."""
    progress("fit")
    rows = {fold: unit.rows(fold) for fold in ("train", *EVALUATED)}
    labels = unit.labels(rows["train"])[:, 0].cpu().numpy()
    if len(np.unique(labels)) < 2:
        prevalence = float(labels.mean()) if len(labels) else 0.5
        log.info("%s: one class in training, its prevalence %.0f is the score", unit.name, prevalence)
        return UnitResult(
            {fold: torch.full((len(rows[fold]), 1), prevalence) for fold in EVALUATED}, [], None
        )
    seed = unit.seed("estimator") % 2**32  # scikit-learn takes 32 bits
    model = load("methods", unit.spec.method).build(seed, **unit.spec.options)
    model.fit(_bits(unit, rows["train"]), labels)
    scores = {fold: _scores(model, _bits(unit, rows[fold])) for fold in EVALUATED}
    return UnitResult(scores, [], None)


def _bits(unit: Unit, rows: Tensor) -> np.ndarray:
    return unit.data.x(rows).to(torch.uint8).cpu().numpy()  # type: ignore[union-attr]


def _scores(model: object, bits: np.ndarray) -> Tensor:
    if not len(bits):
        return torch.zeros(0, 1)
    return torch.from_numpy(model.predict_proba(bits)[:, 1:].astype(np.float32))  # type: ignore[attr-defined]
