"""Training in mini-batches with the epoch selected on validation: what loops over epochs share."""

import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.engine.adam import Adam
from relatask.engine.augmentation import augmented
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.kinds import mean_metric
from relatask.engine.network import build_model
from relatask.engine.unit import EVALUATED, Progress, Unit, UnitResult
from relatask.inputs.graph_batch import GraphBatch

log = logging.getLogger(__name__)


class EpochTraining(ABC):
    """A network, its optimiser and the best epoch so far."""

    higher_is_better = True  # of `valid_value`

    def __init__(self, unit: Unit):
        self.unit, self.settings = unit, unit.spec.training
        self.device = unit.data.labels.device
        self.rows, self.valid = unit.rows("train"), unit.rows("valid")
        self.model = build_model(unit).to(self.device)
        self.optimiser = Adam(
            self.model.parameters(), self.settings["learning_rate"], self.settings["weight_decay"]
        )
        self.epoch = self.step = self.stale = 0  # epochs finished, steps of the next one, bad validations
        self.total, self.seconds = torch.zeros((), device=self.device), 0.0  # loss and time of those steps
        self.best = math.nan
        self.best_weights = self._weights()
        self.history: list[dict[str, Any]] = []

    def require_examples(self) -> None:
        """Raise where there is nothing to learn from; a trained model, which only predicts, needs nothing."""
        if not len(self.rows):
            raise RelataskError(f"{self.unit.title} has no labelled item in training; choose other tasks.")

    @property
    def n_steps(self) -> int:
        """Steps of an epoch."""
        return math.ceil(len(self.rows) / self.settings["batch_size"])

    def is_over(self) -> bool:
        """Whether all epochs are done, or validation has not improved for `patience` validations."""
        patience = self.settings["patience"]
        return self.epoch == self.settings["epochs"] or (patience is not None and self.stale >= patience)

    def learning_rate(self) -> float:
        """The step size of the epoch that comes or runs: constant, or half a cosine over all epochs."""
        return scheduled(self.settings, self.epoch)

    def run_epoch(self, after_step: Callable[[], None]) -> None:
        """Go once through the training molecules in an order of this epoch, and validate."""
        start, before = time.perf_counter(), self.seconds
        shuffle = torch.Generator().manual_seed(self.unit.seed("order", self.epoch))
        order = torch.randperm(len(self.rows), generator=shuffle).to(self.device)
        self.optimiser.learning_rate = self.learning_rate()
        if not self.step:
            torch.manual_seed(self.unit.seed("epoch", self.epoch))  # dropout, and what a method draws
            self.before_epoch()
        self.model.train()
        for batch in self.rows[order].split(self.settings["batch_size"])[self.step :]:
            self.take_step(batch)
            self.step += 1
            self.seconds = before + time.perf_counter() - start
            after_step()
        self._end_epoch(float(self.total) / self.n_steps)

    @abstractmethod
    def take_step(self, batch: Tensor) -> None:
        """One update on the molecules at positions `batch`."""

    @abstractmethod
    def predict(self, rows: Tensor) -> Tensor:
        """Return scores [n, t] of the molecules at positions `rows`, higher for label 1."""

    def probabilities(self, rows: Tensor) -> Tensor:
        """Return the scores to save, float32 [n, t]; default: what `predict` returns."""
        return self.predict(rows)

    def saved(self) -> dict[str, pd.DataFrame]:
        """Return the tables that the method declares in `saves`, of the best epoch; default: the model's."""
        return self.model.saved()

    def inputs(self, rows: Tensor) -> GraphBatch | Tensor:
        """Return what a training step reads of the molecules at positions `rows`, augmented if asked for."""
        x, how = self.unit.data.x(rows), self.settings["augmentation"]
        return augmented(x, how) if isinstance(x, Tensor) else x

    def scores(self) -> dict[str, Tensor]:
        """Return what is saved of each held-out fold, as `UnitResult.scores`."""
        return {fold: self.probabilities(self.unit.rows(fold)).cpu() for fold in EVALUATED}

    def learn_from(self, loss: Tensor) -> None:
        """Step along the gradient of a batch's loss."""
        self.optimiser.clear()
        loss.backward()
        self.optimiser.step()
        self.total += loss.detach()

    def before_epoch(self) -> None:  # noqa: B027
        """What is done before the first step of an epoch."""

    def after_epoch(self) -> None:  # noqa: B027
        """What else changes once `epoch` epochs are done, before validation."""

    def _end_epoch(self, loss: float) -> None:
        self.epoch += 1
        self.require_finite(loss)
        row = {"epoch": self.epoch, "train_loss": loss, "valid_metric": math.nan, "seconds": self.seconds}
        self.history.append({**row, "examples_per_second": len(self.rows) / max(self.seconds, 1e-9)})
        self.step, self.seconds = 0, 0.0
        self.total.zero_()
        self.after_epoch()
        if self.epoch == self.settings["epochs"] or self.epoch % self.settings["evaluate_every"] == 0:
            self.validate()

    def validate(self) -> None:
        """Keep the weights of this epoch if validation is better than ever, or undefined."""
        value = self.valid_value()
        self.history[-1]["valid_metric"] = value
        self.stale += 1
        worse = value <= self.best if self.higher_is_better else value >= self.best
        if not worse:  # also where either is NaN
            self.best, self.stale = value, 0
            self.best_weights = self._weights()

    def valid_value(self) -> float:
        """What epochs are compared by: mean validation ROC-AUC; NaN if no task has both classes."""
        labels, scores = self.unit.labels(self.valid, "valid"), self.predict(self.valid)
        return mean_metric("roc_auc", labels, scores)

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.model.state_dict().items()}

    def require_finite(self, value: float) -> None:
        """Raise a RelataskError that says what to change if a loss or a sum of scores is not finite."""
        if not math.isfinite(value):
            raise divergence(self.unit, self.epoch, value)

    def place(self) -> tuple[float, str]:
        """Share of the epochs that is done, and a text for people."""
        epochs = self.settings["epochs"]
        valid = "" if math.isnan(self.best) else f" · valid {self.best:.3f}"
        return (self.epoch + self.step / self.n_steps) / epochs, f"epoch {self.epoch + 1}/{epochs}{valid}"

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as tensors and numbers."""
        cuda = self.device.type == "cuda"
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state(),
            "best_weights": self.best_weights,
            "numbers": {key: getattr(self, key) for key in ("epoch", "step", "stale", "best", "seconds")},
            "total": self.total,
            "history": self.history,
            "generator": torch.get_rng_state(),
            "cuda_generator": torch.cuda.get_rng_state(self.device) if cuda else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, after a step."""
        self.model.load_state_dict(state["model"])
        self.optimiser.restore(state["optimiser"])
        self.best_weights, self.history = state["best_weights"], state["history"]
        self.total.copy_(state["total"])
        for name, value in state["numbers"].items():
            setattr(self, name, value)
        torch.set_rng_state(state["generator"])
        if state["cuda_generator"] is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda_generator"], self.device)


def scheduled(settings: dict[str, Any], epoch: int) -> float:
    """Return the step size of the epoch that follows `epoch` finished ones.

    The cosine (Loshchilov and Hutter, 2017, eq. 5) falls between epochs, as in MetaLink's released code.
    """
    rate: float = settings["learning_rate"]
    if settings["schedule"] == "constant":
        return rate
    return rate * (1 + math.cos(math.pi * epoch / settings["epochs"])) / 2


def divergence(unit: Unit, epoch: int, value: float) -> RelataskError:
    """What to say of a unit whose loss or score is not finite."""
    return RelataskError(
        f"{unit.title} diverged in epoch {epoch}: the loss or a score is {value}; lower "
        f"training.learning_rate (now {unit.spec.training['learning_rate']})."
    )


def fit(training: EpochTraining, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Train from the checkpoint, if there is one, and score the held-out folds.

    The epoch with the best validation value gives the weights; the last epoch does where it is undefined.
    """
    training.require_examples()
    if checkpoint.in_flight is not None:
        training.restore(checkpoint.in_flight)

    def after_step() -> None:
        progress(*training.place())
        if checkpoint.due():
            checkpoint.save(training.state())

    while not training.is_over():
        training.run_epoch(after_step)
    if math.isnan(training.best):
        log.info("%s: validation has no task with both classes; the last epoch is taken", training.unit.title)
    training.model.load_state_dict(training.best_weights)
    weights = {name: value.cpu() for name, value in training.best_weights.items()}
    return UnitResult(training.scores(), training.history, weights, saved=training.saved())
