"""Fit a scikit-learn classifier on the fingerprints of one task's labelled molecules."""

from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from relatask.core.registry import load, own_options
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.unit import EVALUATED, Progress, Unit, UnitResult

LOOP = {"has_weights": False}


def train(unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Return the scores of the unit's task, which has both classes in training."""
    progress(0.0, "fit")
    rows = unit.rows("train")
    seed = unit.seed("estimator") % 2**32  # scikit-learn takes 32 bits
    model = load("methods", unit.spec.method).build(seed, **own_options(unit.spec.method, unit.spec.options))
    with threadpool_limits(torch.get_num_threads()):  # scikit-learn brings an OpenMP of its own
        model.fit(_bits(unit, rows), unit.labels(rows)[:, 0].cpu().numpy())
        scores = {fold: _scores(model, _bits(unit, unit.rows(fold))) for fold in EVALUATED}
    return UnitResult(scores, [], saved=model.saved() if hasattr(model, "saved") else {})


def _bits(unit: Unit, rows: Tensor) -> np.ndarray:
    bits = unit.data.x(rows)
    assert isinstance(bits, Tensor)
    return bits.to(torch.uint8).cpu().numpy()


def _scores(model: Any, bits: np.ndarray) -> Tensor:
    if not len(bits):
        return torch.zeros(0, 1)
    return torch.from_numpy(model.predict_proba(bits)[:, 1:].astype(np.float32))
