"""Supervised training that keeps, for each task, the weights of the epoch that was best for it."""

from typing import Any

import torch
from torch import Tensor

from relatask.engine.loops import supervised
from relatask.engine.problem import Problem
from relatask.methods.acs.acs import joined

LOOP = {"balances": True, "imputes": True}
predictor = supervised.predictor


class Training(supervised.Training):
    """As supervised training, which also decides when it ends, but for the weights that are taken.

    Kept are the weights of epochs that are the best of some task: at most as many networks as tasks.
    """

    def __init__(self, problem: Problem):
        super().__init__(problem)
        n_tasks = len(problem.columns)
        self.best = torch.full((n_tasks,), torch.nan, dtype=torch.float64)  # validation value of each task
        self.epoch_of = torch.zeros(n_tasks, dtype=torch.int64)  # the epoch that had it
        self.kept: dict[int, dict[str, Tensor]] = {}  # epoch -> weights

    def validate(self) -> None:
        """Compare this epoch with the best one so far, in the mean and for each task."""
        super().validate()
        (values,) = self.values_by_task
        mean = self.selections[0]
        best_in_mean = mean.stale == 0
        better = torch.where(values.isnan(), best_in_mean, ~(values <= self.best))
        self.best = torch.where(better, values, self.best)
        self.epoch_of[better] = self.epoch
        if better.any():
            self.kept[self.epoch] = mean.weights if best_in_mean else self.networks.weights_of(0)
            used = set(self.epoch_of.tolist())
            self.kept = {epoch: weights for epoch, weights in self.kept.items() if epoch in used}

    def chosen_weights(self) -> list[dict[str, Tensor]]:
        """Return the weights of all epochs that some task takes, in one network."""
        epochs, place = self.epoch_of.unique(return_inverse=True)
        outputs = torch.tensor(self.kinds[0].n_outputs)
        checkpoint_of = place.repeat_interleave(outputs).to(self.device)
        return [joined([self.kept[epoch] for epoch in epochs.tolist()], checkpoint_of)]

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as tensors and numbers."""
        own = {"best": self.best, "epoch_of": self.epoch_of.clone(), "kept": self.kept}
        return {**super().state(), **own}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, after a step."""
        super().restore(state)
        self.best, self.epoch_of, self.kept = state["best"], state["epoch_of"], state["kept"]
