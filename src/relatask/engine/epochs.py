"""Training in mini-batches with the epoch selected on validation: what loops over epochs share."""

import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import DivergedError, RelataskError
from relatask.engine.adam import Adam
from relatask.engine.augmentation import augmented
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.kinds import mean_metric
from relatask.engine.network import trained_model
from relatask.engine.networks import Networks, networks_of
from relatask.engine.problem import EVALUATED, Problem, Progress, TrainingResult
from relatask.inputs.graph_batch import GraphBatch

log = logging.getLogger(__name__)


@dataclass
class Selection:
    """How the training of one problem went, and its epoch with the best validation value so far."""

    weights: dict[str, Tensor]  # of that epoch, at first the initial ones
    best: float = math.nan
    stale: int = 0  # validations since then
    history: list[dict[str, Any]] = field(default_factory=list)
    failure: str | None = None  # the message, once a loss or a score was not finite

    def take(self, value: float, higher_is_better: bool, weights: Callable[[], dict[str, Tensor]]) -> None:
        """Note a validation value, and keep the weights if it is better than ever, or undefined."""
        self.history[-1]["valid_metric"] = value
        self.stale += 1
        worse = value <= self.best if higher_is_better else value >= self.best
        if not worse:  # also where either is NaN
            self.best = value
            self.stale = 0
            self.weights = weights()


class EpochTraining(ABC):
    """Networks in training, their optimiser and the best epoch of each so far.

    A loop trains one problem. Where its steps, predictions and validation values are those of `networks`, it
    can train several side by side: then they differ in their tasks alone, have the same items in each fold,
    and share the order of batches and all random draws, as they would have them alone.

    Args:
        problem: what is trained.
        beside: further problems.
        weights: of the problem's network, which is trained already and only predicts; None: it starts anew.
    """

    higher_is_better = True  # of `valid_value`

    def __init__(self, problem: Problem, *beside: Problem, weights: dict[str, Tensor] | None = None):
        self.problem = problem
        self.problems = (problem, *beside)
        self.settings = problem.spec.training
        self.device = problem.data.labels.device
        self.rows = problem.rows("train")
        self.valid = problem.rows("valid")
        trained = None if weights is None else Networks([trained_model(problem, weights)])
        self.networks = trained or networks_of(self.problems)
        self.model = self.networks.models[0]
        self.optimiser = Adam(
            self.networks.parameters(), self.settings["learning_rate"], self.settings["weight_decay"]
        )
        self.epoch = 0  # epochs that are finished
        self.step = 0  # steps of the next epoch that are taken
        self.seconds = 0.0  # time of those steps
        self.total = torch.zeros(len(self.problems), device=self.device)  # of each, the sum of these losses
        self.selections = [Selection(self.networks.weights_of(run)) for run in range(len(self.problems))]

    def fit(self, checkpoint: Checkpoint, progress: Progress) -> TrainingResult:
        """Train one problem from the checkpoint, if there is one, and score the held-out folds.

        The epoch with the best validation value gives the weights; the last epoch does where it is undefined.

        Raises:
            RelataskError: there is nothing to learn from.
            DivergedError: a loss or a score is not finite.
        """
        (result,) = fit_all(self, checkpoint, progress)
        if isinstance(result, RelataskError):
            raise result
        return result

    def require_examples(self) -> None:
        """Raise where there is nothing to learn from; a trained model, which only predicts, needs nothing."""
        if not len(self.rows):
            raise RelataskError(f"{self.problem.title} has no labelled item in training; choose other tasks.")

    @property
    def n_steps(self) -> int:
        """Steps of an epoch."""
        return math.ceil(len(self.rows) / self.settings["batch_size"])

    def is_over(self) -> bool:
        """Whether all epochs are done, or every problem's training has ended before."""
        return self.epoch == self.settings["epochs"] or not self.going()

    def going(self) -> list[int]:
        """Positions of the problems that did not diverge and improved in the last `patience` validations."""
        patience = self.settings["patience"]
        return [
            run
            for run, selection in enumerate(self.selections)
            if selection.failure is None and (patience is None or selection.stale < patience)
        ]

    def learning_rate(self) -> float:
        """The step size of the epoch that comes or runs: constant, or half a cosine over all epochs."""
        return scheduled(self.settings, self.epoch)

    def run_epoch(self, after_step: Callable[[], None]) -> None:
        """Go once through the training items in an order of this epoch, and validate."""
        start = time.perf_counter()
        before = self.seconds
        shuffle = torch.Generator().manual_seed(self.problem.seed("order", self.epoch))
        order = torch.randperm(len(self.rows), generator=shuffle).to(self.device)
        self.optimiser.learning_rate = self.learning_rate()
        if not self.step:
            torch.manual_seed(self.problem.seed("epoch", self.epoch))  # dropout, and what a method draws
            self.before_epoch()
        self.networks.train()
        for batch in self.rows[order].split(self.settings["batch_size"])[self.step :]:
            self.take_step(batch)
            self.step += 1
            self.seconds = before + time.perf_counter() - start
            after_step()
        self._end_epoch([loss / self.n_steps for loss in self.total.tolist()])

    @abstractmethod
    def take_step(self, batch: Tensor) -> None:
        """One update on the items at positions `batch`."""

    @abstractmethod
    def predict(self, rows: Tensor) -> Tensor:
        """Return scores [n, t] of the items at positions `rows`, higher for label 1."""

    def probabilities(self, rows: Tensor) -> Tensor:
        """Return the scores to save, float32 [n, t]; default: what `predict` returns."""
        return self.predict(rows)

    def saved(self) -> dict[str, pd.DataFrame]:
        """Return the tables that the method declares in `saves`, of the best epoch; default: the model's."""
        return self.model.saved()

    def shown(self) -> dict[str, dict[str, Tensor]] | None:
        """Return which labels each pass knew, as `TrainingResult.shown`; default: it reads none."""
        return None

    def inputs(self, rows: Tensor) -> GraphBatch | Tensor:
        """Return what a training step reads of the items at positions `rows`, augmented if asked for."""
        x = self.problem.data.x(rows)
        return augmented(x, self.settings["augmentation"]) if isinstance(x, Tensor) else x

    def scores(self) -> dict[str, Tensor]:
        """Return what is saved of each held-out fold, as `TrainingResult.scores`."""
        return {fold: self.probabilities(self.problem.rows(fold)).cpu() for fold in EVALUATED}

    def all_scores(self) -> list[dict[str, Tensor]]:
        """Return `scores` of each problem; loops that train several problems side by side replace it."""
        return [self.scores()]

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

    def _end_epoch(self, losses: Sequence[float]) -> None:
        going = self.going()
        self.epoch += 1
        seconds = self.seconds / len(self.problems)  # side by side each problem gets its share
        for run in going:
            if self.require_finite(losses[run], run):
                row = {"epoch": self.epoch, "train_loss": losses[run], "valid_metric": math.nan}
                speed = len(self.rows) / max(seconds, 1e-9)
                row |= {"seconds": seconds, "examples_per_second": speed}
                self.selections[run].history.append(row)
        self.step = 0
        self.seconds = 0.0
        self.total.zero_()
        self.after_epoch()
        if self.epoch == self.settings["epochs"] or self.epoch % self.settings["evaluate_every"] == 0:
            self.validate()

    def validate(self) -> None:
        """Compare this epoch with the best one so far, for each problem in training."""
        values = self.valid_values()
        for run in self.going():
            weights = partial(self.networks.weights_of, run)
            self.selections[run].take(values[run], self.higher_is_better, weights)

    def chosen_weights(self) -> list[dict[str, Tensor]]:
        """Return the weights that each problem's network is left with; default: those of its best epoch."""
        return [selection.weights for selection in self.selections]

    def forget_best(self) -> None:
        """Compare the epochs that come with none of those so far."""
        for selection in self.selections:
            selection.best = math.nan
            selection.stale = 0

    def valid_value(self) -> float:
        """What epochs are compared by: mean validation ROC-AUC; NaN if no task has both classes."""
        labels = self.problem.labels(self.valid, "valid")
        return mean_metric("roc_auc", labels, self.predict(self.valid))

    def valid_values(self) -> list[float]:
        """Return `valid_value` of each problem; loops that train several problems side by side replace it."""
        return [self.valid_value()]

    def require_finite(self, value: float, run: int = 0) -> bool:
        """Whether a loss or a sum of scores is finite; a problem with another has failed.

        Raises:
            DivergedError: it is not, and no other problem is trained beside it; it says what to change.
        """
        if math.isfinite(value):
            return True
        failure = divergence(self.problems[run], self.epoch, value)
        if len(self.problems) == 1:
            raise failure
        self.selections[run].failure = str(failure)
        return False

    def place(self) -> tuple[float, str]:
        """Share of the epochs that is done, and a text for people."""
        epochs = self.settings["epochs"]
        text = f"epoch {self.epoch + 1}/{epochs}"
        if len(self.problems) > 1:
            text += f" of {len(self.going())} runs side by side"
        elif not math.isnan(self.selections[0].best):
            text += f" · valid {self.selections[0].best:.3f}"
        return (self.epoch + self.step / self.n_steps) / epochs, text

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as tensors and numbers."""
        cuda = self.device.type == "cuda"
        return {
            "networks": self.networks.state_dict(),
            "optimiser": self.optimiser.state(),
            "selections": [dict(vars(selection)) for selection in self.selections],
            "numbers": {key: getattr(self, key) for key in ("epoch", "step", "seconds")},
            "total": self.total,
            "generator": torch.get_rng_state(),
            "cuda_generator": torch.cuda.get_rng_state(self.device) if cuda else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, after a step."""
        self.networks.load_state_dict(state["networks"])
        self.optimiser.restore(state["optimiser"])
        self.selections = [Selection(**values) for values in state["selections"]]
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


def divergence(problem: Problem, epoch: int, value: float) -> DivergedError:
    """What to say of a problem whose loss or score is not finite."""
    return DivergedError(
        f"{problem.title} diverged in epoch {epoch}: the loss or a score is {value}; lower "
        f"training.learning_rate (now {problem.spec.training['learning_rate']})."
    )


def fit_all(
    training: EpochTraining, checkpoint: Checkpoint, progress: Progress
) -> list[TrainingResult | RelataskError]:
    """Train problems side by side as `fit` of a training does one; return what comes of each, or why not."""
    training.require_examples()
    if checkpoint.in_flight is not None:
        training.restore(checkpoint.in_flight)

    def after_step() -> None:
        progress(*training.place())
        if checkpoint.due():
            checkpoint.save(training.state())

    while not training.is_over():
        training.run_epoch(after_step)
    for problem, selection in zip(training.problems, training.selections, strict=True):
        if math.isnan(selection.best) and selection.failure is None:
            log.info("%s: validation has no task with both classes; the last epoch is taken", problem.title)
    chosen = training.chosen_weights()
    training.networks.load_weights(chosen)
    scores = training.all_scores()
    shown, saved = training.shown(), training.saved()
    return [
        DivergedError(selection.failure)
        if selection.failure is not None
        else TrainingResult(
            own,
            selection.history,
            {name: value.cpu() for name, value in weights.items()},
            shown,
            saved,
        )
        for own, selection, weights in zip(scores, training.selections, chosen, strict=True)
    ]
