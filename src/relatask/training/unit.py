"""A unit of training: what is trained at a time, a whole run or one task of a per-task method."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from relatask.data.tensors import PreparedDataset
from relatask.training.spec import RunSpec

EVALUATED = ("valid", "test")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Unit:
    """One model to train: `columns` of the data set's labels, under one run's spec."""

    spec: RunSpec
    data: PreparedDataset
    columns: Tensor  # int64 [t]: positions of the unit's tasks in data.task_ids
    name: str  # the task of a per-task method, else ""

    @property
    def task_ids(self) -> list[str]:
        """The unit's tasks."""
        return [self.data.task_ids[column] for column in self.columns.tolist()]

    def rows(self, fold: str) -> Tensor:
        """Positions of the fold's molecules with a label in the unit's tasks, int64 [n]."""
        rows = self.data.folds[fold]
        return rows[~self.labels(rows).isnan().all(1)]

    def labels(self, rows: Tensor) -> Tensor:
        """Labels [n, t] of the molecules at positions `rows`."""
        return self.data.labels[rows[:, None], self.columns]

    def seed(self, *purpose: str | int) -> int:
        """Seed of one purpose within this unit."""
        return self.spec.random_seed(self.name, *purpose)


@dataclass(frozen=True)
class UnitResult:
    """Scores of a trained unit, its history, and its weights where it has any."""

    scores: dict[str, Tensor]  # fold -> float32 [n, t], in the order of Unit.rows(fold)
    history: list[dict[str, Any]]
    weights: dict[str, Tensor] | None

    def as_dict(self) -> dict[str, Any]:
        """Plain tensors and numbers, as a checkpoint stores them."""
        return {"scores": self.scores, "history": self.history, "weights": self.weights}


def units_of(spec: RunSpec, data: PreparedDataset, per_task: bool) -> list[Unit]:
    """Return the units of a run: one per task for a per-task method, else one for all its tasks."""
    position = {task: column for column, task in enumerate(data.task_ids)}
    chosen = spec.select(data.task_ids)
    groups = [([task], task) for task in chosen] if per_task else [(chosen, "")]
    device = data.labels.device
    return [
        Unit(spec, data, torch.tensor([position[task] for task in tasks], device=device), name)
        for tasks, name in groups
    ]
