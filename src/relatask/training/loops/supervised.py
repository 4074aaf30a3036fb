"""Mini-batch training on labels, with the epoch selected on validation."""

import copy
import math
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from relatask.errors import RelataskError
from relatask.methods._context import TaskContext
from relatask.registry import load
from relatask.training.checkpoint import Checkpoint
from relatask.training.selection import mean_roc_auc
from relatask.training.unit import EVALUATED, Progress, Unit, UnitResult

PREDICTION_BATCH = 512


def train(unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Train the unit's network from its checkpoint, if there is one, and score the held-out folds.

    The epoch with the best validation ROC-AUC, averaged over tasks with both classes, gives the weights;
    the last epoch does where validation has no such task.
    """
    settings = unit.spec.training
    training = Training(unit)
    if checkpoint.in_flight is not None:
        training.restore(checkpoint.in_flight)
    while training.epoch < settings["epochs"] and not training.patience_is_over():
        training.run_epoch()
        last = training.epoch == settings["epochs"]
        if last or training.epoch % settings["evaluate_every"] == 0:
            training.validate()
        progress(f"epoch {training.epoch}/{settings['epochs']} · valid {training.best:.3f}")
        if checkpoint.due():
            checkpoint.save(training.state())
    training.model.load_state_dict(training.best_weights)
    scores = {fold: training.predict(unit.rows(fold)).sigmoid().cpu() for fold in EVALUATED}
    weights = {name: value.cpu() for name, value in training.best_weights.items()}
    return UnitResult(scores, training.history, weights)


class Training:
    """A network, its optimiser and the best epoch so far."""

    def __init__(self, unit: Unit):
        self.unit, self.settings = unit, unit.spec.training
        self.device = unit.data.labels.device
        self.model = build_model(unit).to(self.device)
        self.optimiser = torch.optim.Adam(
            self.model.parameters(),
            lr=self.settings["learning_rate"],
            weight_decay=self.settings["weight_decay"],
            fused=True,  # one pass over the weights instead of eight
        )
        self.rows = unit.rows("train")
        self.valid = unit.rows("valid")
        self.epoch = 0
        self.stale = 0
        self.best = math.nan
        self.best_weights = copy.deepcopy(self.model.state_dict())
        self.history: list[dict[str, Any]] = []

    def run_epoch(self) -> None:
        """Go once through the training molecules in an order of this epoch."""
        self.epoch += 1
        start = time.perf_counter()
        torch.manual_seed(self.unit.seed("epoch", self.epoch))  # dropout, and the order below
        self.model.train()
        total = torch.zeros((), device=self.device)
        batches = list(self._batches())
        for batch in batches:
            with self._autocast():
                logits = self.model(self.unit.data.x(batch))
            losses, counts = self.model.losses(logits.float(), self.unit.labels(batch))  # type: ignore[operator]
            loss = losses.sum() / (counts > 0).sum().clamp(min=1)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()
            total += loss.detach()
        loss_value = float(total) / max(len(batches), 1)  # waits for the device, so the clock is right
        if not math.isfinite(loss_value):
            raise RelataskError(
                f"the loss of epoch {self.epoch} is {loss_value}; lower training.learning_rate "
                f"(now {self.settings['learning_rate']})."
            )
        seconds = time.perf_counter() - start
        self.history.append(
            {
                "epoch": self.epoch,
                "train_loss": loss_value,
                "valid_metric": math.nan,
                "seconds": seconds,
                "examples_per_second": len(self.rows) / seconds,
            }
        )

    def _batches(self) -> Iterator[Tensor]:
        order = torch.randperm(len(self.rows)).to(self.device)
        yield from self.rows[order].split(self.settings["batch_size"])

    def _autocast(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.settings["precision"] == "bf16"
        )

    def predict(self, rows: Tensor) -> Tensor:
        """Return the logits float32 [n, t] of the molecules at positions `rows`."""
        self.model.eval()
        with torch.inference_mode(), self._autocast():
            logits = [self.model(self.unit.data.x(batch)).float() for batch in rows.split(PREDICTION_BATCH)]
        return torch.cat(logits) if len(rows) else torch.zeros(0, len(self.unit.columns))

    def validate(self) -> None:
        """Keep the weights of this epoch if validation is better than ever, or undefined."""
        value = mean_roc_auc(self.unit.labels(self.valid), self.predict(self.valid))
        self.history[-1]["valid_metric"] = value
        self.stale += 1
        if math.isnan(value) or not value <= self.best:
            self.best, self.stale = value, 0
            self.best_weights = copy.deepcopy(self.model.state_dict())

    def patience_is_over(self) -> bool:
        """Whether validation has not improved for so many validations."""
        patience = self.settings["patience"]
        return patience is not None and self.stale >= patience

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as tensors and numbers."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "best_weights": self.best_weights,
            "numbers": {"epoch": self.epoch, "stale": self.stale, "best": self.best},
            "history": self.history,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.best_weights, self.history = state["best_weights"], state["history"]
        for name, value in state["numbers"].items():
            setattr(self, name, value)


def build_model(unit: Unit) -> nn.Module:
    """Return the freshly initialised network of a unit."""
    torch.manual_seed(unit.seed("initialisation"))
    encoder = load("encoders", str(unit.spec.encoder)).build(**unit.spec.encoder_options)
    edge_index, edge_score = _edges_among(unit)
    context = TaskContext(
        task_ids=unit.task_ids,
        edge_index=edge_index,
        edge_score=edge_score,
        seed_of=lambda task: unit.spec.random_seed("head", task),
    )
    return load("methods", unit.spec.method).build(encoder, context, **unit.spec.options)


def _edges_among(unit: Unit) -> tuple[Tensor, Tensor]:
    """The relations among the unit's tasks, as positions in the unit."""
    edges, scores = unit.data.relations()
    position = torch.full((len(unit.data.task_ids),), -1, device=edges.device)
    position[unit.columns] = torch.arange(len(unit.columns), device=edges.device)
    edges = position[edges]
    kept = (edges >= 0).all(0)
    return edges[:, kept], scores[kept]
