"""Training of forecasts: from a window of all series, the next values of those of the task set.

An item is a point in time. Training starts a forecast at every point; held-out folds are forecast in blocks,
one after the other, so that each point is predicted once, from values before its block alone.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import functional_call

from relatask.core.errors import RelataskError
from relatask.engine.epochs import EpochTraining
from relatask.engine.network import autocast, trained_model
from relatask.engine.problem import Problem
from relatask.inputs.series import Series
from relatask.nn.contract import MultiTaskModel

PREDICTION_BATCH = 512
LOOP = {"forecasts": True}


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what forecasts a stretch of points, block after block, from the values before each block."""
    model = trained_model(problem, weights)
    return lambda rows: forecasts(model, problem, rows)


class Training(EpochTraining):
    """A network that gives changes against the last known values; the loss is the mean over series.

    Raises:
        RelataskError: the encoder is for another number of series, or training is shorter than a window.
    """

    higher_is_better = False

    def __init__(self, problem: Problem):
        super().__init__(problem)
        assert isinstance(problem.data.inputs, Series)
        self.series = problem.data.inputs
        encoder_options = problem.spec.required_encoder().options
        self.window = encoder_options["window"]
        self.horizon = problem.spec.method.options["horizon"]
        n_series = self.series.values.shape[1]
        wanted = encoder_options["series"]
        if n_series != wanted:
            raise RelataskError(
                f"{problem.title}: the data have {n_series} series; set its option series: {n_series}."
            )
        first, after = int(self.rows[0]) + self.window, int(self.rows[-1]) + 1
        self.rows = torch.arange(first, after - self.horizon + 1, device=self.device)
        if not len(self.rows):
            raise RelataskError(
                f"{problem.title}: training has {after - first + self.window} points, a forecast needs "
                f"{self.window} before and {self.horizon} ahead; lower window or horizon."
            )

    def take_step(self, batch: Tensor) -> None:
        """One update on forecasts that start at the points `batch`."""
        known, targets = self.examples(batch)
        with autocast(self.problem):
            losses = self.task_losses(known, targets)
        self.learn_from(losses.mean())

    def examples(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Return windows [B, window, T] before the points `batch`, and changes ahead [B, horizon, t]."""
        known = self.series.windows(batch - self.window, self.window)
        changes = self.series.windows(batch, self.horizon) - known[:, -1:]
        return known, changes[..., self.problem.columns]

    def task_losses(self, x: Tensor, targets: Tensor, weights: dict[str, Tensor] | None = None) -> Tensor:
        """Return each series' loss, [t], with `weights` in place of the model's own."""
        changes: Tensor = functional_call(self.model, weights or {}, (x,)).float()
        return self.model.losses(changes, targets)

    def valid_value(self) -> float:
        """Mean absolute error of the validation fold."""
        return float((self.predict(self.valid) - self.problem.labels(self.valid)).abs().mean())

    def predict(self, rows: Tensor) -> Tensor:
        """Return the forecasts float32 [n, t] of a stretch of points, block after block."""
        found = forecasts(self.model, self.problem, rows)
        self.require_finite(float(found.sum()))
        return found


def forecasts(model: MultiTaskModel, problem: Problem, rows: Tensor) -> Tensor:
    """Return the forecasts float32 [n, t] of a stretch of points, block after block."""
    series = problem.data.inputs
    assert isinstance(series, Series)
    window = problem.spec.required_encoder().options["window"]
    horizon = problem.spec.method.options["horizon"]
    model.eval()
    blocks = [torch.zeros(0, len(problem.columns), device=rows.device)]
    with torch.inference_mode(), autocast(problem):
        for starts in rows[::horizon].split(PREDICTION_BATCH):
            known = series.windows(starts - window, window)
            last = known[:, -1:][..., problem.columns]
            blocks.append((model(known).float() + last).flatten(0, 1))
    return torch.cat(blocks)[: len(rows)]
