"""What a balancing strategy sees of a training step, and what it must offer.

A task without a label in the batch has loss 0 and no gradient; strategies leave its weight and all they
remember of it as they are, and count only the n tasks that have one. The loss of a step is the mean over
those, (1/n) sum_i w_i L_i, so that weights of 1 are plain multi-task learning.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from relatask.nn.contract import MultiTaskModel


@dataclass(frozen=True)
class Step:
    """The forward pass of a batch of B items on T tasks; nothing has flowed back yet."""

    losses: Tensor  # [T], each of its own column of the logits alone, 0 for a task without a label
    present: Tensor  # bool [T], whether the task has a label in the batch
    logits: Tensor  # [B, T]
    mean: Tensor  # of the losses of present tasks, by the weights of tasks that the run has
    representation: Tensor | None  # [B, .., w], what the trunk gave; only where `uses_representation`
    model: MultiTaskModel


@dataclass(frozen=True)
class Setting:
    """What a strategy is built for: a network, its number of tasks and the settings of its training."""

    model: MultiTaskModel
    n_tasks: int
    batch_size: int
    learning_rate: float


class Balancing(nn.Module, ABC):
    """A strategy. Its buffers are its state, part of a run's checkpoint."""

    uses_representation = False  # whether `Step.representation` is read, so that the model needs a trunk
    uses_epoch_losses = False  # whether `start_epoch` is told the losses on all training items
    decay = 1.0  # factor of the learning rate after each step

    @abstractmethod
    def backward(self, step: Step) -> None:
        """Put the gradients of all parameters of the network in their `.grad`, which are empty."""

    def start_epoch(self, losses: Tensor) -> None:
        """Take note of the tasks' losses [T] in evaluation, 0 for one without a label in training."""

    def end_epoch(self) -> None:
        """What changes once an epoch is done."""


class FromLosses(Balancing):
    """A strategy that makes one loss of those of the tasks.

    Where it reads nothing of a step but the losses, its file says ``"stacks": True`` and runs with it can be
    trained side by side.
    """

    @abstractmethod
    def loss(self, step: Step) -> Tensor:
        """Return the loss to descend on, and learn from the step for the next."""

    def backward(self, step: Step) -> None:
        """Flow the loss back."""
        self.loss(step).backward()


class Weighted(FromLosses):
    """A strategy that weighs losses; the gradient does not flow into the weights."""

    def loss(self, step: Step) -> Tensor:
        """Return (1/n) sum_i w_i L_i."""
        weighted = self.weights(step) * step.losses
        return weighted.sum() / step.present.sum()

    @abstractmethod
    def weights(self, step: Step) -> Tensor:
        """Return the weights [T] for this step, and learn from the step for the next."""


def unknown(n_tasks: int) -> Tensor:
    """Return NaN [T]: values that no task has yet."""
    return torch.full((n_tasks,), torch.nan)


def ratio(losses: Tensor, reference: Tensor) -> Tensor:
    """Return losses / reference [T], 1 where either is not known."""
    return (losses / reference.clamp(min=1e-12)).nan_to_num(1.0)
