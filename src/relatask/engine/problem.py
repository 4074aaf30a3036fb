"""A learning problem: what one model learns, the tasks of a run or one task of a per-task method."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json
from relatask.data.prepared import PreparedDataset
from relatask.data.splits import FOLDS
from relatask.engine.weights import weighted
from relatask.plan.spec import RunSpec

EVALUATED = ("valid", "test")
CONSTANT = "constant"  # the only weight of a problem whose score is the same for all items
Progress = Callable[[float, str], None]  # share of the problem that is done, and where it is
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """What one model learns: `columns` of the data set's labels, under one run's spec."""

    spec: RunSpec
    data: PreparedDataset
    columns: Tensor  # int64 [t]: positions of the problem's tasks in data.task_ids
    name: str  # the task of a per-task method, else ""
    prior: Tensor | None = None  # float32 [M, t]: probability of label 1 of all items, by another run
    # Of a trained model: positions of the items whose labels each pass of a prediction reads.
    support: tuple[Tensor, ...] | None = None
    encoder: Mapping[str, Tensor] | None = None  # weights that the encoder starts from, by their names in it

    @property
    def task_ids(self) -> list[str]:
        """The problem's tasks."""
        return [self.data.task_ids[column] for column in self.columns.tolist()]

    @property
    def title(self) -> str:
        """What messages call the problem."""
        run = f"{self.spec.label or self.spec.method.name} seed {self.spec.seed}"
        return f"{run} task {self.name}" if self.name else run

    def rows(self, fold: str) -> Tensor:
        """Positions of the fold's items with a label in the problem's tasks, int64 [n]."""
        rows = self.data.folds[fold]
        if len(self.columns) == len(self.data.task_ids):
            return rows  # which hold a label in some task
        return rows[~self.labels(rows, fold).isnan().all(1)]

    def labels(self, rows: Tensor, fold: str | None = "train") -> Tensor:
        """Labels [n, t] of the items at positions `rows`, NaN where missing.

        By default only labels that training may read, which are also those that prediction may know. Where
        items are split, these are all labels of the items. Where cells are split, they are the labels of
        training cells; `fold` names another fold, and None means all folds.
        """
        place = (rows[:, None], self.columns)
        labels = self.data.labels[place]
        if self.data.cell_folds is None or fold is None:
            return labels
        return torch.where(self.data.cell_folds[place] == FOLDS.index(fold), labels, torch.nan)

    def bounds(self, rows: Tensor) -> Tensor | None:
        """Bounds int8 [n, t] of the labels at `rows`: -1 below, 1 above the label; None: there are none."""
        return None if self.data.bounds is None else self.data.bounds[rows[:, None], self.columns]

    def exact(self, rows: Tensor) -> Tensor | None:
        """Whether the labels at positions `rows` are the value itself, bool [n, t]; None: all are."""
        bounds = self.bounds(rows)
        return None if bounds is None else bounds == 0

    def weights(self, rows: Tensor) -> Tensor | None:
        """How much the training labels at positions `rows` count, float32 [n, t]; None: all alike."""
        return None if self.data.weights is None else self.data.weights[rows[:, None], self.columns]

    @property
    def task_weights(self) -> Tensor | None:
        """How much the losses of the problem's tasks count, float32 [t]; None: all alike."""
        return None if self.data.task_weights is None else self.data.task_weights[self.columns]

    def seed(self, *purpose: str | int) -> int:
        """Seed of one purpose within this problem."""
        return self.spec.random_seed(self.name, *purpose)


@dataclass(frozen=True)
class TrainingResult:
    """Scores of a trained problem, its history, and its weights where it has any.

    `shown` is of methods that read known labels. Fold -> {"predicted_in": int8 [n, t], the pass in which a
    cell was predicted, -1 for cells that are not evaluated; "known_in": int16 [n, t], bit p: its label was
    known to pass p}; "train" says so of the support, where no cell is predicted.
    """

    # fold -> float32 [n, t], in the order of Problem.rows(fold); of classes int64 [episodes, queries], the
    # class that is predicted
    scores: dict[str, Tensor]
    history: list[dict[str, Any]]
    weights: dict[str, Tensor] | None = None
    shown: dict[str, dict[str, Tensor]] | None = None
    saved: dict[str, pd.DataFrame] = field(default_factory=dict)  # tables that the method declares in `saves`

    def as_dict(self) -> dict[str, Any]:
        """Plain tensors, numbers and texts, as a checkpoint stores them."""
        plain = {name: getattr(self, name) for name in ("scores", "history", "weights", "shown")}
        return {**plain, "saved": {name: frame.to_dict("list") for name, frame in self.saved.items()}}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainingResult":
        """Rebuild a result from `as_dict`."""
        saved = {name: pd.DataFrame(columns) for name, columns in values["saved"].items()}
        return cls(**{**values, "saved": saved})


def problems_of(
    spec: RunSpec, data: PreparedDataset, per_task: bool, prior: Tensor | None = None
) -> list[Problem]:
    """Return the problems of a run: one per task for a per-task method, else one for all its tasks.

    Raises:
        RelataskError: the data set has none of the run's tasks.
    """
    data = weighted(data, spec.weights)
    position = {task: column for column, task in enumerate(data.task_ids)}
    chosen = spec.select(data.task_ids)
    if not chosen:
        raise RelataskError(
            f"{spec.label or spec.method.name} has no task to learn: the data set {spec.dataset!r} has "
            f"{len(position)}, the run asks for {canonical_json(spec.tasks)}; use fewer parts."
        )
    groups = [([task], task) for task in chosen] if per_task else [(chosen, "")]
    device = data.labels.device
    problems = []
    for tasks, name in groups:
        columns = torch.tensor([position[task] for task in tasks], device=device)
        problems.append(Problem(spec, data, columns, name, None if prior is None else prior[:, columns]))
    return problems
