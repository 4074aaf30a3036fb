"""How much each training label of a run counts: the weight of its item times that of its class."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.data.prepared import PreparedDataset
from relatask.data.prepared_tables import NOWHERE
from relatask.data.splits import FOLDS
from relatask.data.tasks import Task

TRAIN = FOLDS.index("train")


def weighted(data: PreparedDataset, given: dict[str, Any] | None) -> PreparedDataset:
    """Return a data set with the weights of a run; training labels of weight 0 are left out of training.

    Args:
        data: under its split.
        given: `RunSpec.weights`; None: there are none, and the data set is returned as it is.

    Raises:
        RelataskError: the items have no weights, though the run names their column.
    """
    if given is None:
        return data
    labels = data.labels
    training = torch.zeros_like(labels, dtype=torch.bool)
    training[data.folds["train"]] = True
    if data.cell_folds is not None:
        training &= data.cell_folds == TRAIN
    training &= ~labels.isnan()
    weights = torch.ones_like(labels)
    if "weight_column" in given:
        if data.sample_weights is None:
            raise RelataskError(
                f"the items have no weights, and the run reads them from {given['weight_column']!r}; run the "
                "workflow again."
            )
        weights *= data.sample_weights[:, None]
    if "classes" in given:
        rows, columns = torch.nonzero(training, as_tuple=True)
        place = labels[rows, columns].long()
        told = (columns.cpu(), place.cpu(), weights[rows, columns].cpu())  # sums in one order, on any device
        weights[rows, columns] *= _of_classes(data.tasks, given["classes"], *told).to(labels.device)
    left_out = training & (weights == 0)
    if left_out.any():
        labels = labels.masked_fill(left_out, torch.nan)
        training &= ~left_out
    rows, cells = data.folds["train"], data.cell_folds
    return replace(
        data,
        labels=labels,
        folds={**data.folds, "train": rows[training[rows].any(1)]},
        cell_folds=None if cells is None else cells.masked_fill(left_out, NOWHERE),
        weights=weights,
        task_weights=_of_tasks(data.tasks, given["tasks"], labels) if "tasks" in given else None,
    )


def _of_tasks(tasks: tuple[Task, ...], given: dict[str, float], like: Tensor) -> Tensor:
    """Return the weight of each task, float32 [T], 1 where none is given."""
    return like.new_tensor([given.get(task.task_id, 1.0) for task in tasks])


def _of_classes(
    tasks: tuple[Task, ...], given: Any, columns: Tensor, label: Tensor, weights: Tensor
) -> Tensor:
    """Return the weight of the class of each training label, float32 [N]; 1 of measured values.

    `balanced` are n / (k n_c), n the weights of a task's labels, n_c those of its class c, and k the number
    of classes that training has: as scikit-learn has it, each class counts the same in all.

    Args:
        tasks: of the data set.
        given: for all tasks, or by task.
        columns: int64 [N], the task of each label.
        label: int64 [N], its class.
        weights: float32 [N], of its item.
    """
    n_classes = torch.tensor([_n_classes(task) for task in tasks])
    first = n_classes.cumsum(0) - n_classes  # of each task in a table of all classes of all tasks
    cell = torch.where(n_classes[columns] > 1, first[columns] + label, first[columns])
    n = torch.bincount(cell, weights.double(), minlength=int(n_classes.sum()))
    table = torch.ones_like(n)
    for task, start, size in zip(tasks, first.tolist(), n_classes.tolist(), strict=True):
        own = given.get(task.task_id) if isinstance(given, dict) else given
        if size < 2 or own is None:
            continue
        table[start : start + size] = _of_one_task(own, task, n[start : start + size])
    return table[cell].to(weights)


def _n_classes(task: Task) -> int:
    """Number of classes of a task; of a real one 1, as all its labels count alike."""
    return {"binary": 2, "real": 1}.get(task.kind) or int(task.n_classes or 1)


def _of_one_task(given: Any, task: Task, n: Tensor) -> Tensor:
    """Return the weights float64 [k] of a task's classes, whose labels have weights `n` in all."""
    if given == "balanced":
        return torch.where(n > 0, n.sum() / ((n > 0).sum() * n.clamp(min=1e-300)), 1.0)
    if isinstance(given, dict):
        return n.new_tensor([given.get(name, 1.0) for name in task.classes or ("0", "1")])
    return n.new_tensor([1.0, given])
