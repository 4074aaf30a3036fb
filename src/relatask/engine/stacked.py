"""Runs that differ in their task sets alone, trained side by side in one pass.

Such runs start from the same encoder and see the same batches in the same order. Each batch is read once for
all of them, through encoders that are stacked (`relatask.encoders._stacked_*`), and each run's heads read its
own encoder. All else is as in `loops.supervised`: the runs' gradients do not mix, dropout drops what it
would drop in each run alone, and each run has its own Adam, best epoch and early stopping. What a run learns
depends on none of those beside it.
"""

import logging
import math
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

import torch
from torch import Tensor, nn

from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities
from relatask.engine.adam import Adam
from relatask.engine.epochs import divergence, scheduled
from relatask.engine.kinds import metric_by_task
from relatask.engine.loops.supervised import PREDICTION_BATCH
from relatask.engine.network import build_model
from relatask.engine.unit import EVALUATED, Progress, Unit, UnitResult
from relatask.nn.contract import Encoder, MultiTaskModel
from relatask.plan.spec import RunSpec

log = logging.getLogger(__name__)


def runs_at_once(spec: RunSpec, device: torch.device) -> int:
    """Return how many runs like this one are trained in one pass; 0 where the loop is faster, or has to."""
    stacks = capabilities("methods", spec.method.name).stacks
    if not stacks or spec.balancing.name != "equal" or not isinstance(spec.tasks, tuple):
        return 0
    if spec.training["precision"] != "fp32":
        return 0
    width = capabilities("encoders", spec.required_encoder().name).side_by_side.get(device.type, 0)
    return -(-width // spec.required_encoder().options["width"])


class StackedModel(MultiTaskModel):
    """What a method with the capability `stacks` builds: its outputs are heads(encoder(x)), and no more."""

    encoder: Encoder
    heads: nn.Linear


class Batch:
    """R networks in training, each with its best epoch so far.

    Args:
        units: of one spec but for its tasks, with the same molecules in each fold.
    """

    def __init__(self, units: Sequence[Unit]):
        first = units[0]
        self.units, self.data, self.settings = units, first.data, first.spec.training
        self.device = first.data.labels.device
        self.folds = {fold: first.rows(fold) for fold in ("train", *EVALUATED)}
        if not len(self.folds["train"]):
            raise RelataskError(f"{first.title} has no labelled molecule in training; choose other tasks.")
        self.columns = torch.cat([unit.columns for unit in units])  # [C], of all runs
        self.sizes = [len(unit.columns) for unit in units]
        self.run_of = torch.repeat_interleave(torch.tensor(self.sizes)).to(self.device)  # [C]
        self.models = [cast(StackedModel, build_model(unit).to(self.device)) for unit in units]
        self.encoder: Any = self._stacked()
        parameters = [*self.encoder.parameters(), *self._heads().parameters()]
        self.optimiser = Adam(parameters, self.settings["learning_rate"], self.settings["weight_decay"])
        self.epoch = 0
        self.n_steps = math.ceil(len(self.folds["train"]) / self.settings["batch_size"])
        self.best, self.stale = [math.nan] * len(units), [0] * len(units)
        self.best_weights: list[dict[str, Tensor]] = [{} for _ in units]
        self.history: list[list[dict[str, Any]]] = [[] for _ in units]
        self.failed: dict[int, RelataskError] = {}

    def _stacked(self) -> nn.Module:
        stacked = import_module(f"relatask.encoders._stacked_{self.units[0].spec.required_encoder().name}")
        return stacked.stack([model.encoder for model in self.models]).to(self.device)

    def _heads(self) -> nn.ModuleList:
        return nn.ModuleList(model.heads for model in self.models)

    def going(self) -> list[int]:
        """Positions of the runs that are neither over nor failed."""
        if self.epoch == self.settings["epochs"]:
            return []
        patience = self.settings["patience"]
        stopped = {run for run, stale in enumerate(self.stale) if patience is not None and stale >= patience}
        return [run for run in range(len(self.units)) if run not in stopped and run not in self.failed]

    def run_epoch(self) -> None:
        """Go once through the training molecules, in the order and with the draws of the loop; validate."""
        start, rows, unit = time.perf_counter(), self.folds["train"], self.units[0]
        shuffle = torch.Generator().manual_seed(unit.seed("order", self.epoch))
        order = torch.randperm(len(rows), generator=shuffle).to(self.device)
        torch.manual_seed(unit.seed("epoch", self.epoch))
        self.optimiser.learning_rate = scheduled(self.settings, self.epoch)
        self.encoder.train()
        total = torch.zeros(len(self.units), device=self.device)
        for batch in rows[order].split(self.settings["batch_size"]):
            total += self.take_step(batch)
        going = self.going()
        self.epoch += 1
        seconds = (time.perf_counter() - start) / len(self.units)
        speed = len(rows) / max(seconds, 1e-9)
        for run, loss in enumerate((total / self.n_steps).tolist()):
            if run in going and self._finite(run, loss):
                row = {"epoch": self.epoch, "train_loss": loss, "valid_metric": math.nan, "seconds": seconds}
                self.history[run].append({**row, "examples_per_second": speed})
        if self.epoch == self.settings["epochs"] or self.epoch % self.settings["evaluate_every"] == 0:
            self.validate([run for run in going if run not in self.failed])

    def take_step(self, batch: Tensor) -> Tensor:
        """Update every run on the molecules at positions `batch`; return the runs' losses [R]."""
        means = []
        for model, unit, logits in zip(self.models, self.units, self.logits(batch), strict=True):
            labels = unit.labels(batch)
            losses = model.losses(logits, labels)
            means.append(losses.sum() / (~labels.isnan()).any(0).sum())  # over the tasks with a label
        self.optimiser.clear()
        torch.autograd.backward(means)
        self.optimiser.step()
        return torch.stack(means).detach()

    def logits(self, batch: Tensor) -> list[Tensor]:
        """Return each run's logits [B, t] of the molecules at positions `batch`."""
        states = self.encoder(self.data.x(batch)).unbind()
        return [model.heads(state) for model, state in zip(self.models, states, strict=True)]

    def predict(self, rows: Tensor) -> Tensor:
        """Return the logits float32 [n, C] of the molecules at positions `rows`."""
        self.encoder.eval()
        found = [torch.zeros(0, len(self.columns), device=self.device)]
        with torch.inference_mode():
            found += [torch.cat(self.logits(batch), 1) for batch in rows.split(PREDICTION_BATCH)]
        return torch.cat(found if len(rows) else found[:1])

    def validate(self, runs: Sequence[int]) -> None:
        """Keep the weights of those `runs` for which this epoch is better than ever, or undefined."""
        rows = self.folds["valid"]
        labels = torch.cat([unit.labels(rows, "valid") for unit in self.units], 1)
        scores = self.predict(rows)
        values = metric_by_task("roc_auc", labels, scores).split(self.sizes)
        sums = scores.sum(0).cpu().split(self.sizes)
        for run in runs:
            value = float(values[run].nanmean()) if len(rows) else math.nan
            if not self._finite(run, float(sums[run].sum())):
                continue
            self.history[run][-1]["valid_metric"] = value
            self.stale[run] += 1
            if not value <= self.best[run]:  # also where either is NaN
                self.best[run], self.stale[run] = value, 0
                self.best_weights[run] = self._weights(run)

    def _weights(self, run: int) -> dict[str, Tensor]:
        encoder = {f"encoder.{name}": value for name, value in self.encoder.state_of(run).items()}
        heads = self.models[run].heads.state_dict()
        return encoder | {f"heads.{name}": value.clone() for name, value in heads.items()}

    def _finite(self, run: int, value: float) -> bool:
        """Whether a loss or a sum of scores is finite; a run with another has failed."""
        if math.isfinite(value):
            return True
        self.failed[run] = divergence(self.units[run], self.epoch, value)
        return False

    def results(self) -> list[UnitResult | RelataskError]:
        """Score the held-out folds by each run's best epoch."""
        for run, (model, weights) in enumerate(zip(self.models, self.best_weights, strict=True)):
            if math.isnan(self.best[run]) and run not in self.failed:
                title = self.units[run].title
                log.info("%s: validation has no task with both classes; the last epoch is taken", title)
            if run not in self.failed:
                model.load_state_dict(weights)
        self.encoder = self._stacked()
        parts = {fold: self.predict(self.folds[fold]).split(self.sizes, 1) for fold in EVALUATED}
        found: list[UnitResult | RelataskError] = []
        for run, history in enumerate(self.history):
            weights = {name: value.cpu() for name, value in self.best_weights[run].items()}
            scores = {fold: parts[fold][run].contiguous().sigmoid().cpu() for fold in EVALUATED}
            found.append(self.failed.get(run, UnitResult(scores, history, weights)))
        return found


def train_batch(units: Sequence[Unit], progress: Progress) -> list[UnitResult | RelataskError]:
    """Train units of runs that differ in their tasks alone; what comes of each, or why it failed.

    Args:
        units: with the same molecules in each fold, of which some are for training.
        progress: is told the share of the epochs that is done.
    """
    batch = Batch(units)
    while going := batch.going():
        epochs = batch.settings["epochs"]
        progress(batch.epoch / epochs, f"epoch {batch.epoch + 1}/{epochs} of {len(going)} runs side by side")
        batch.run_epoch()
    return batch.results()
