"""One solution of all tasks of a run at once; validation chooses among kernels and penalties."""

import logging
import math
from collections.abc import Callable

import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import build_method
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.kinds import kinds_of, mean_of, selection_values
from relatask.engine.problem import EVALUATED, Problem, Progress, TrainingResult
from relatask.methods.pairwise_kernel.pairwise_kernel import Examples
from relatask.methods.pairwise_kernel.task_kernels import NAMES

LOOP = {"imputes": True}
log = logging.getLogger(__name__)


def train(problem: Problem, checkpoint: Checkpoint, progress: Progress) -> TrainingResult:
    """Fit the method's model to the labels of training and score the held-out folds.

    It takes seconds, of large data an hour (docs/performance.md); the checkpoint holds the best kernel and
    penalty of those tried so far, with their solution, from which the exact one starts.
    """
    rows, valid = problem.rows("train"), problem.rows("valid")
    if not len(rows):
        raise RelataskError(f"{problem.title} has no labelled item in training; choose other tasks.")
    method, kinds = problem.spec.method, kinds_of(problem)
    model = build_method(method.name, method.options)
    labels, exact = problem.labels(valid, "valid"), problem.exact(valid)

    def value_of(scores: Tensor) -> float:
        return mean_of(selection_values(kinds, labels, scores, exact))

    try:
        chosen = model.fit(_examples(problem), problem.data.x(valid), value_of, checkpoint, progress)
    except RelataskError as error:
        raise RelataskError(f"{problem.title}: {error}") from None
    if math.isnan(chosen.value):
        log.warning(
            "%s: no task of validation can be evaluated; taken are the kernel %s and the penalty %g.",
            problem.title,
            dict(zip(NAMES, chosen.shares, strict=True)),
            chosen.penalty,
        )
    row = {**dict(zip(NAMES, chosen.shares, strict=True)), "penalty": chosen.penalty}
    scores = {fold: model.predict(problem.data.x(problem.rows(fold))).cpu() for fold in EVALUATED}
    saved = {"task_kernels": pd.DataFrame([{**row, "valid_metric": chosen.value}])}
    return TrainingResult(scores, [], model.state(), saved=saved)


def _examples(problem: Problem) -> Examples:
    """Return the training molecules and labels; one that is a bound is left out, as trees do.

    The mean of a task of 0 and 1 without a label is 1/2. Where labels do not vary the deviation is 1. The
    weight of a task multiplies those of its labels.
    """
    rows, kinds = problem.rows("train"), kinds_of(problem)
    labels, exact = problem.labels(rows).double(), problem.exact(rows)
    if exact is not None:
        labels = labels.masked_fill(~exact, torch.nan)
    real = torch.tensor([kind == "real" for kind in kinds.kinds], device=labels.device)
    weights, of_tasks = problem.weights(rows), problem.task_weights
    share = labels.nanmean(0)
    if weights is not None:
        of_known = torch.where(labels.isnan(), 0.0, weights.to(labels))
        share = (of_known * labels.nan_to_num(0.0)).sum(0) / of_known.sum(0)
        weights = torch.where(labels.isnan(), 1.0, weights.to(labels))
        weights = weights if of_tasks is None else weights * of_tasks.to(labels)
    mean = torch.where(real, kinds.mean.to(labels), share.nan_to_num(0.5))
    spread = (mean * (1 - mean)).clamp(min=0).sqrt()
    deviation = torch.where(real, kinds.deviation.to(labels), torch.where(spread > 0, spread, 1.0))
    return Examples(problem.data.x(rows), labels, mean, deviation, real, weights)


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the scores [n, T] of items at some rows."""
    method = problem.spec.method
    model = build_method(method.name, method.options)
    device = problem.data.labels.device
    model.restore({name: value.to(device) for name, value in weights.items()})
    return lambda rows: model.predict(problem.data.x(rows))
