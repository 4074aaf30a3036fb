"""Mini-batch training on labels, the tasks' losses balanced by the run's strategy."""

from collections.abc import Callable
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from relatask.balancing._balancing import Balancing, Setting, Step
from relatask.core.errors import RelataskError
from relatask.core.registry import load
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.epochs import EpochTraining, fit
from relatask.engine.kinds import kinds_of, mean_metric, selection_value, tasks_of
from relatask.engine.network import autocast, trained_model
from relatask.engine.unit import Progress, Unit, UnitResult

PREDICTION_BATCH = 512
LOOP = {"balances": True, "imputes": True}


def train(unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Train the unit's network from its checkpoint, if there is one, and score the held-out folds."""
    return fit(Training(unit), checkpoint, progress)


def predictor(unit: Unit, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the probabilities [n, t] of molecules at some rows, by a trained network."""
    model = trained_model(unit, weights)
    return lambda rows: model.scores(predict(model, unit, rows))


class LearnsBounds(Protocol):
    """A `MultiTaskModel` whose losses know that a label may be a bound of the value."""

    def losses(self, outputs: Tensor, labels: Tensor, bounds: Tensor) -> Tensor:
        """Return each task's loss, [T]; bounds are int8 [B, T]."""
        ...


class Training(EpochTraining):
    """A network that gives logits, and how its tasks are balanced."""

    def __init__(self, unit: Unit):
        super().__init__(unit)
        settings = (self.settings["batch_size"], self.settings["learning_rate"])
        strategy = load("balancing", unit.spec.balancing.name)
        setting = Setting(self.model, len(unit.columns), *settings)
        self.balancing: Balancing = strategy.build(setting, **unit.spec.balancing.options).to(self.device)
        self.representation: Tensor | None = None
        self.kinds = kinds_of(unit)
        if self.balancing.uses_representation:
            self.trunk().register_forward_hook(self._keep)

    def trunk(self) -> nn.Module:
        """The module that all tasks share, for strategies that read it.

        Raises:
            RelataskError: the method has none.
        """
        if self.model.trunk is None:
            spec = self.unit.spec
            raise RelataskError(
                f"{self.unit.title}: balancing {spec.balancing.name!r} reads what all tasks share, and "
                f"method {spec.method.name!r} has no such part; choose another balancing."
            )
        return self.model.trunk

    def take_step(self, batch: Tensor) -> None:
        """One update on the molecules at positions `batch`; the loss told is the mean over present tasks."""
        labels = self.unit.labels(batch)
        with autocast(self.unit):
            logits = self.model(self.inputs(batch))
        logits, present = logits.float(), (~labels.isnan()).any(0)
        losses = self.losses_of(logits, labels, batch)
        mean = losses.sum() / present.sum()
        self.optimiser.clear()
        self.balancing.backward(Step(losses, present, logits, mean, self.representation, self.model))
        self.representation = None  # with it goes the graph, before the next batch needs the memory
        taken = self.epoch * self.n_steps + self.step
        self.optimiser.learning_rate = self.learning_rate() * self.balancing.decay**taken
        self.optimiser.step()
        self.total += mean.detach()

    def losses_of(self, outputs: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        """Return each task's loss, [t], of outputs for the items at positions `rows`, with their labels."""
        bounds = self.unit.bounds(rows)
        if bounds is None:
            return self.model.losses(outputs, labels)
        return cast(LearnsBounds, self.model).losses(outputs, labels, bounds)

    def examples(self, batch: Tensor) -> tuple[object, Tensor]:
        """Return what the model reads of the molecules at positions `batch`, and their labels [B, t]."""
        return self.unit.data.x(batch), self.unit.labels(batch)

    def task_losses(self, x: object, labels: Tensor, weights: dict[str, Tensor] | None = None) -> Tensor:
        """Return each task's loss, [t], in full precision, with `weights` in place of the model's own."""
        return self.model.losses(functional_call(self.model, weights or {}, (x,)), labels)

    def _keep(self, trunk: nn.Module, inputs: object, output: Tensor) -> None:
        self.representation = output if self.model.training else None

    def before_epoch(self) -> None:
        """Tell the losses on all training molecules to a strategy that reads them."""
        if self.balancing.uses_epoch_losses:
            labels = self.unit.labels(self.rows)
            self.balancing.start_epoch(self.losses_of(self.predict(self.rows), labels, self.rows))

    def after_epoch(self) -> None:
        """Let the strategy know."""
        self.balancing.end_epoch()

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as tensors and numbers."""
        return {**super().state(), "balancing": self.balancing.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, after a step."""
        super().restore(state)
        self.balancing.load_state_dict(state["balancing"])

    def predict(self, rows: Tensor) -> Tensor:
        """Return the outputs float32 [n, C] of the molecules at positions `rows`; of binary tasks logits."""
        logits = predict(self.model, self.unit, rows)
        self.require_finite(float(logits.sum()))
        return logits

    def probabilities(self, rows: Tensor) -> Tensor:
        """Return the scores float32 [n, t] of the items at positions `rows`, as `MultiTaskModel.scores`."""
        return self.model.scores(self.predict(rows))

    def valid_value(self) -> float:
        """What epochs are compared by, higher is better: mean ROC-AUC, or as `selection_value` says."""
        labels, outputs = self.unit.labels(self.valid, "valid"), self.predict(self.valid)
        if self.kinds.all_binary:
            return mean_metric("roc_auc", labels, outputs)
        return selection_value(self.kinds, labels, self.model.scores(outputs), self.unit.exact(self.valid))


def predict(model: nn.Module, unit: Unit, rows: Tensor) -> Tensor:
    """Return the outputs float32 [n, C] of a unit's network for the molecules at positions `rows`."""
    model.eval()
    n_outputs = sum(task.n_classes or 1 for task in tasks_of(unit))
    logits = [torch.zeros(0, n_outputs, device=rows.device)]
    with torch.inference_mode(), autocast(unit):
        logits += [model(unit.data.x(batch)).float() for batch in rows.split(PREDICTION_BATCH)]
    return torch.cat(logits if len(rows) else logits[:1])
