"""Fit an estimator of scikit-learn on the fingerprints, or other vectors, of one task's labelled items.

A method builds a classifier of two classes with `build`; one whose kinds are more also has
`build_for(kind, ...)`, which returns a regressor or a classifier of several classes. The `fit` of one with
`weights` takes `sample_weight`.
"""

import io
import re
import zipfile
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities, forms_read, load, own_options
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.kinds import exact_rows, tasks_of
from relatask.engine.problem import EVALUATED, Problem, Progress, TrainingResult

LOOP: dict[str, Any] = {}
SCHEMA = "schema.json"  # in a file of skops: what its objects are made of
ESTIMATOR = "estimator"  # the only weight: bytes, uint8, of the estimator as skops writes it
# What an estimator of scikit-learn is made of besides what skops takes for harmless by itself.
HARMLESS = (
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)


def packed(model: Any) -> Tensor:
    """Return an estimator as the bytes of its file, uint8 [n]."""
    from skops.io import dumps

    return torch.frombuffer(bytearray(same_bytes(dumps(model))), dtype=torch.uint8)


def same_bytes(content: bytes) -> bytes:
    """Return a file of skops without what differs between two writings of one estimator, compressed.

    skops numbers objects by their addresses in memory, and a ZIP archive holds dates.
    """
    number_of: dict[str, int] = {}
    packed_to = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(packed_to, "w") as target:
        schema = source.read(SCHEMA).decode()
        for address in re.findall(r'"__id__": (\d+)', schema):
            number_of.setdefault(address, len(number_of))
        pattern = re.compile(r"\b\d{6,}\b")

        def renumbered(text: str) -> str:
            return pattern.sub(lambda found: str(number_of.get(found[0], found[0])), text)

        for name in sorted(source.namelist(), key=renumbered):
            own = renumbered(schema).encode() if name == SCHEMA else source.read(name)
            entry = zipfile.ZipInfo(renumbered(name))  # dated 1980
            target.writestr(entry, own, zipfile.ZIP_DEFLATED, 6)
    return packed_to.getvalue()


def unpacked(content: Tensor, title: str) -> Any:
    """Return the estimator of `packed`; a file that holds anything but an estimator is refused.

    Args:
        content: bytes of the file, uint8 [n].
        title: what messages call it.

    Raises:
        RelataskError: it holds something that could run code, is damaged, or holds no estimator.
    """
    from skops.io import get_untrusted_types, loads

    data = content.cpu().numpy().tobytes()
    try:
        types = get_untrusted_types(data=data)
        strange = [name for name in types if name not in HARMLESS and not _is_of_a_method(name)]
        model = None if strange else loads(data, trusted=types)
    except Exception as error:  # a file from elsewhere can make skops, zipfile and json raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RelataskError(
            f"{title} is damaged ({reason}); get the model anew, or train it again."
        ) from None
    if strange:
        raise RelataskError(f"{title} holds {strange[0]}, which no method makes; do not trust the model.")
    if not hasattr(model, "predict"):
        raise RelataskError(f"{title} holds a {type(model).__name__}, which is none; do not trust the model.")
    return model


def _is_of_a_method(name: str) -> bool:
    """Whether a type's name is that of an estimator which a method of the package defines."""
    from sklearn.base import BaseEstimator

    file, _, own = name.rpartition(".")
    if not file.startswith("relatask.methods.") or not own.isidentifier():
        return False
    found = getattr(import_module(file), own, None)
    return isinstance(found, type) and issubclass(found, BaseEstimator) and found.__module__ == file


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the scores [n, 1] of items at some rows."""
    model = unpacked(weights[ESTIMATOR], f"the estimator of {problem.title}")
    kind = tasks_of(problem)[0].kind

    def scores(rows: Tensor) -> Tensor:
        with threadpool_limits(torch.get_num_threads()):
            return _scores(model, kind, _columns(problem, rows)).to(rows.device)

    return scores


def train(problem: Problem, checkpoint: Checkpoint, progress: Progress) -> TrainingResult:
    """Return the scores of the problem's task, whose training labels differ.

    A label that is a bound is left out of fitting: trees have no loss for "more than 6".
    """
    progress(0.0, "fit")
    rows, kind = exact_rows(problem), tasks_of(problem)[0].kind
    seed = problem.seed("estimator") % 2**32  # scikit-learn takes 32 bits
    module, options = (
        load("methods", problem.spec.method.name),
        own_options(problem.spec.method.name, problem.spec.method.options),
    )
    model = module.build(seed, **options) if kind == "binary" else module.build_for(kind, seed, **options)
    with threadpool_limits(torch.get_num_threads()):  # scikit-learn brings an OpenMP of its own
        model.fit(
            _columns(problem, rows), problem.labels(rows)[:, 0].cpu().numpy(), **_weights(problem, rows)
        )
        scores = {fold: _scores(model, kind, _columns(problem, problem.rows(fold))) for fold in EVALUATED}
    saved = model.saved() if hasattr(model, "saved") else {}
    return TrainingResult(scores, [], {ESTIMATOR: packed(model)}, saved=saved)


def _weights(problem: Problem, rows: Tensor) -> dict[str, np.ndarray]:
    """Return the argument `sample_weight` of `fit`, float64 [n], where the run has weights."""
    weights = problem.weights(rows)
    return {} if weights is None else {"sample_weight": weights[:, 0].double().cpu().numpy()}


def _columns(problem: Problem, rows: Tensor) -> np.ndarray:
    """Return what the items at `rows` are learned from, [n, d]: bits as uint8, other numbers as float32."""
    found = problem.data.x(rows)
    assert isinstance(found, Tensor)
    bits = forms_read(capabilities("methods", problem.spec.method.name), problem.spec.inputs) == ("ecfp",)
    return (found.to(torch.uint8) if bits else found).cpu().numpy()


def _scores(model: Any, kind: str, bits: np.ndarray) -> Tensor:
    """Return the probability of label 1, the value, or the likeliest class of each row, float32 [n, 1]."""
    if not len(bits):
        return torch.zeros(0, 1)
    found = model.predict_proba(bits)[:, 1:] if kind == "binary" else model.predict(bits)[:, None]
    return torch.from_numpy(found.astype(np.float32))
