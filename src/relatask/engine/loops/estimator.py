"""Fit a scikit-learn classifier on the fingerprints of one task's labelled molecules."""

import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import load, own_options
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.unit import EVALUATED, Progress, Unit, UnitResult

LOOP: dict[str, Any] = {}
ESTIMATOR = "estimator"  # the only weight: bytes, uint8, of the estimator as skops writes it
# What an estimator of scikit-learn is made of besides what skops takes for harmless by itself.
HARMLESS = (
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)


def packed(model: Any) -> Tensor:
    """Return an estimator as the bytes of its file, uint8 [n]."""
    from skops.io import dumps

    content = dumps(model, compression=zipfile.ZIP_DEFLATED, compresslevel=6)
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)


def unpacked(content: Tensor) -> Any:
    """Return the estimator of `packed`; a file that holds anything but an estimator is refused.

    Raises:
        RelataskError: it holds something that could run code.
    """
    from skops.io import get_untrusted_types, loads

    data = content.cpu().numpy().tobytes()
    types = get_untrusted_types(data=data)
    strange = [name for name in types if name not in HARMLESS and not name.startswith("relatask.methods.")]
    if strange:
        raise RelataskError(
            f"a model's estimator holds {strange[0]}, which no method makes; do not trust it."
        )
    return loads(data, trusted=types)


def predictor(unit: Unit, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the scores [n, 1] of items at some rows."""
    model = unpacked(weights[ESTIMATOR])

    def scores(rows: Tensor) -> Tensor:
        with threadpool_limits(torch.get_num_threads()):
            return _scores(model, _bits(unit, rows)).to(rows.device)

    return scores


def train(unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Return the scores of the unit's task, which has both classes in training."""
    progress(0.0, "fit")
    rows = unit.rows("train")
    seed = unit.seed("estimator") % 2**32  # scikit-learn takes 32 bits
    model = load("methods", unit.spec.method).build(seed, **own_options(unit.spec.method, unit.spec.options))
    with threadpool_limits(torch.get_num_threads()):  # scikit-learn brings an OpenMP of its own
        model.fit(_bits(unit, rows), unit.labels(rows)[:, 0].cpu().numpy())
        scores = {fold: _scores(model, _bits(unit, unit.rows(fold))) for fold in EVALUATED}
    return UnitResult(
        scores, [], {ESTIMATOR: packed(model)}, saved=model.saved() if hasattr(model, "saved") else {}
    )


def _bits(unit: Unit, rows: Tensor) -> np.ndarray:
    bits = unit.data.x(rows)
    assert isinstance(bits, Tensor)
    return bits.to(torch.uint8).cpu().numpy()


def _scores(model: Any, bits: np.ndarray) -> Tensor:
    if not len(bits):
        return torch.zeros(0, 1)
    return torch.from_numpy(model.predict_proba(bits)[:, 1:].astype(np.float32))
