"""Fit an estimator of scikit-learn on the fingerprints of one task's labelled molecules.

A method builds a classifier of two classes with `build`; one whose kinds are more also has
`build_for(kind, ...)`, which returns a regressor or a classifier of several classes.
"""

from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from relatask.core.registry import load, own_options
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.kinds import exact_rows, tasks_of
from relatask.engine.unit import EVALUATED, Progress, Unit, UnitResult

LOOP = {"has_weights": False}


def train(unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Return the scores of the unit's task, whose training labels differ.

    A label that is a bound is left out of fitting: trees have no loss for "more than 6".
    """
    progress(0.0, "fit")
    rows, kind = exact_rows(unit), tasks_of(unit)[0].kind
    seed = unit.seed("estimator") % 2**32  # scikit-learn takes 32 bits
    module, options = load("methods", unit.spec.method), own_options(unit.spec.method, unit.spec.options)
    model = module.build(seed, **options) if kind == "binary" else module.build_for(kind, seed, **options)
    with threadpool_limits(torch.get_num_threads()):  # scikit-learn brings an OpenMP of its own
        model.fit(_bits(unit, rows), unit.labels(rows)[:, 0].cpu().numpy())
        scores = {fold: _scores(model, kind, _bits(unit, unit.rows(fold))) for fold in EVALUATED}
    return UnitResult(scores, [], saved=model.saved() if hasattr(model, "saved") else {})


def _bits(unit: Unit, rows: Tensor) -> np.ndarray:
    bits = unit.data.x(rows)
    assert isinstance(bits, Tensor)
    return bits.to(torch.uint8).cpu().numpy()


def _scores(model: Any, kind: str, bits: np.ndarray) -> Tensor:
    """Return the probability of label 1, the value, or the likeliest class of each row, float32 [n, 1]."""
    if not len(bits):
        return torch.zeros(0, 1)
    found = model.predict_proba(bits)[:, 1:] if kind == "binary" else model.predict(bits)[:, None]
    return torch.from_numpy(found.astype(np.float32))
