"""Mini-batch training on labels, with the epoch selected on validation."""

import logging
import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from relatask.errors import RelataskError
from relatask.methods._context import TaskContext
from relatask.registry import load
from relatask.training.adam import Adam
from relatask.training.checkpoint import Checkpoint
from relatask.training.selection import mean_roc_auc
from relatask.training.task_graph import task_graph
from relatask.training.unit import EVALUATED, Progress, Unit, UnitResult

PREDICTION_BATCH = 512
log = logging.getLogger(__name__)


def train(unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Train the unit's network from its checkpoint, if there is one, and score the held-out folds.

    The epoch with the best validation ROC-AUC, averaged over tasks with both classes, gives the weights;
    the last epoch does where validation has no such task.
    """
    training = Training(unit)
    if checkpoint.in_flight is not None:
        training.restore(checkpoint.in_flight)

    def after_step() -> None:
        progress(*training.place())
        if checkpoint.due():
            checkpoint.save(training.state())

    while not training.is_over():
        training.run_epoch(after_step)
    if math.isnan(training.best):
        log.info("%s: validation has no task with both classes; the last epoch is taken", unit.title)
    training.model.load_state_dict(training.best_weights)
    scores = {fold: training.predict(unit.rows(fold)).sigmoid().cpu() for fold in EVALUATED}
    return UnitResult(scores, training.history, {k: v.cpu() for k, v in training.best_weights.items()})


class Training:
    """A network, its optimiser and the best epoch so far."""

    def __init__(self, unit: Unit):
        self.unit, self.settings = unit, unit.spec.training
        self.device = unit.data.labels.device
        self.rows, self.valid = unit.rows("train"), unit.rows("valid")
        if not len(self.rows):
            raise RelataskError(f"{unit.title} has no labelled molecule in training; choose other tasks.")
        self.model = build_model(unit).to(self.device)
        self.optimiser = Adam(
            self.model.parameters(), self.settings["learning_rate"], self.settings["weight_decay"]
        )
        self.epoch = self.step = self.stale = 0  # epochs finished, steps of the next one, bad validations
        self.total, self.seconds = torch.zeros((), device=self.device), 0.0  # loss and time of those steps
        self.n_steps = math.ceil(len(self.rows) / self.settings["batch_size"])
        self.best = math.nan
        self.best_weights = self._weights()
        self.history: list[dict[str, Any]] = []

    def is_over(self) -> bool:
        """Whether all epochs are done, or validation has not improved for `patience` validations."""
        patience = self.settings["patience"]
        return self.epoch == self.settings["epochs"] or (patience is not None and self.stale >= patience)

    def run_epoch(self, after_step: Callable[[], None]) -> None:
        """Go once through the training molecules in an order of this epoch, and validate."""
        start, before = time.perf_counter(), self.seconds
        shuffle = torch.Generator().manual_seed(self.unit.seed("order", self.epoch))
        order = torch.randperm(len(self.rows), generator=shuffle).to(self.device)
        if not self.step:
            torch.manual_seed(self.unit.seed("epoch", self.epoch))  # dropout, and what a method draws
        self.model.train()
        for batch in self.rows[order].split(self.settings["batch_size"])[self.step :]:
            self.take_step(batch)
            self.step += 1
            self.seconds = before + time.perf_counter() - start
            after_step()
        self._end_epoch(float(self.total) / self.n_steps)

    def take_step(self, batch: Tensor) -> None:
        """One update on the molecules at positions `batch`: mean loss over tasks that have a label there."""
        labels = self.unit.labels(batch)
        with autocast(self.unit):
            logits = self.model(self.unit.data.x(batch))
        losses: Tensor = self.model.losses(logits.float(), labels)  # type: ignore[operator]
        loss = losses.sum() / (~labels.isnan()).any(0).sum()
        self.optimiser.clear()
        loss.backward()
        self.optimiser.step()
        self.total += loss.detach()

    def _end_epoch(self, loss: float) -> None:
        self.epoch += 1
        self._require_finite(loss)
        row = {"epoch": self.epoch, "train_loss": loss, "valid_metric": math.nan, "seconds": self.seconds}
        self.history.append({**row, "examples_per_second": len(self.rows) / max(self.seconds, 1e-9)})
        self.step, self.seconds = 0, 0.0
        self.total.zero_()
        if self.epoch == self.settings["epochs"] or self.epoch % self.settings["evaluate_every"] == 0:
            self.validate()

    def predict(self, rows: Tensor) -> Tensor:
        """Return the logits float32 [n, t] of the molecules at positions `rows`."""
        scores = predict(self.model, self.unit, rows)
        self._require_finite(float(scores.sum()))
        return scores

    def validate(self) -> None:
        """Keep the weights of this epoch if validation is better than ever, or undefined."""
        value = mean_roc_auc(self.unit.labels(self.valid), self.predict(self.valid))
        self.history[-1]["valid_metric"] = value
        self.stale += 1
        if not value <= self.best:  # also where either is NaN
            self.best, self.stale = value, 0
            self.best_weights = self._weights()

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.model.state_dict().items()}

    def _require_finite(self, value: float) -> None:
        if not math.isfinite(value):
            raise RelataskError(
                f"{self.unit.title} diverged in epoch {self.epoch}: the loss or a score is {value}; lower "
                f"training.learning_rate (now {self.settings['learning_rate']})."
            )

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


def autocast(unit: Unit) -> torch.autocast:
    """Return the context of the precision that the unit's spec asks for."""
    wanted = unit.spec.training["precision"] == "bf16"
    return torch.autocast(unit.data.labels.device.type, dtype=torch.bfloat16, enabled=wanted)


def predict(model: nn.Module, unit: Unit, rows: Tensor) -> Tensor:
    """Return the logits float32 [n, t] of a unit's network for the molecules at positions `rows`."""
    model.eval()
    logits = [torch.zeros(0, len(unit.columns), device=rows.device)]
    with torch.inference_mode(), autocast(unit):
        logits += [model(unit.data.x(batch)).float() for batch in rows.split(PREDICTION_BATCH)]
    return torch.cat(logits if len(rows) else logits[:1])


def build_model(unit: Unit) -> nn.Module:
    """Return the freshly initialised network of a unit."""
    torch.manual_seed(unit.seed("initialisation"))
    encoder = load("encoders", str(unit.spec.encoder)).build(**unit.spec.encoder_options)
    edge_index, edge_score = task_graph(unit)
    context = TaskContext(
        task_ids=unit.task_ids,
        edge_index=edge_index,
        edge_score=edge_score,
        seed_of=lambda task: unit.spec.random_seed("head", task),
    )
    return load("methods", unit.spec.method).build(encoder, context, **unit.spec.options)
