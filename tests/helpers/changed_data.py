"""Data that were changed where a training must not look, and what two trainings are compared by."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from relatask.data.prepared import PreparedDataset
from relatask.engine.run import RunResult

CELL = ["fold", "item_id", "task_id"]


def with_labels(data: PreparedDataset, fold: str, change: Callable[[Tensor], Tensor]) -> PreparedDataset:
    labels = data.labels.clone()
    labels[data.folds[fold]] = change(labels[data.folds[fold]])
    assert not torch.equal(labels.nan_to_num(2.0), data.labels.nan_to_num(2.0))
    return replace(data, labels=labels)


def flipped(labels: Tensor) -> Tensor:
    return 1 - labels


def shuffled(labels: Tensor) -> Tensor:
    """Each task's labels in the reverse order of the items that have one."""
    labels = labels.clone()
    for task in labels.T:
        known = (~task.isnan()).nonzero()[:, 0]
        task[known] = task[known.flip(0)]
    return labels


@dataclass(frozen=True)
class Disguised:
    """Inputs in which some molecules look like others."""

    inputs: Any
    looks_like: Tensor  # int64 [M]

    def batch(self, rows: Tensor) -> Any:
        return self.inputs.batch(self.looks_like[rows])


def disguise(data: PreparedDataset, fold: str) -> PreparedDataset:
    looks_like = torch.arange(len(data.item_ids))
    rows = data.folds[fold]
    looks_like[rows] = data.folds["train"][: len(rows)]
    return replace(data, inputs=Disguised(data.inputs, looks_like))  # type: ignore[arg-type]


def scores(result: RunResult, fold: str | None = None) -> pd.DataFrame:
    cells = result.predictions if fold is None else result.predictions.query("fold == @fold")
    return cells[[*CELL, "score"]].reset_index(drop=True)


def trace(result: RunResult) -> pd.DataFrame:
    return result.history[["task_id", "epoch", "train_loss", "valid_metric"]]
