"""A prepared data set as flat tensors on one device: labels, folds, and inputs by index operations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.core.columns.data import SAMPLE_WEIGHT
from relatask.core.errors import RelataskError
from relatask.core.files import require_recorded
from relatask.core.layout import DATASET_READ, in_dataset
from relatask.core.tables import read_table
from relatask.data.prepared_tables import Folds, read_labels, read_relations, read_split
from relatask.data.tasks import Task, read_tasks
from relatask.inputs.arrays import load_input
from relatask.inputs.fitted import fitted


class Inputs(Protocol):
    """What encoders read of all items; a file of relatask.inputs makes it.

    Where it has a true attribute `reads_all`, a batch for some items costs what one for all items costs. Of a
    graph `is_own` says whether it is the one that a trained model was trained on.
    """

    def __len__(self) -> int:
        """Number of items."""

    def batch(self, rows: Tensor) -> Any:
        """Return what an encoder reads of the items at positions `rows`, int64 [B]."""


@dataclass(frozen=True)
class PreparedDataset:
    """M items with labels of T tasks, one split, and one kind of input."""

    tasks: tuple[Task, ...]
    labels: Tensor  # float32 [M, T], NaN where not measured or hidden
    item_ids: Tensor  # int64 [M]
    folds: dict[str, Tensor]  # fold -> int64 positions of the items with a label in these tasks
    inputs: Inputs | None  # None for what reads labels alone
    edge_index: Tensor  # int64 [2, E]
    edge_score: Tensor  # float32 [E]
    cell_folds: Tensor | None = None  # uint8 [M, T] where cells are split and not items: place in FOLDS
    bounds: Tensor | None = None  # int8 [M, T]: -1 below, 1 above the label; None where all labels are values
    # int64 [M]: the item of the inputs that each item is; None where they are the same, in the same order
    input_rows: Tensor | None = None
    sample_weights: Tensor | None = None  # float32 [M] of the items; None where the data set has none
    weights: Tensor | None = (
        None  # float32 [M, T], how much a training label counts in a run; None: all alike
    )
    task_weights: Tensor | None = None  # float32 [T], how much a task's loss counts in a run; None: all alike
    hides: bool = False  # whether the split hides labels, which are then missing in `labels`

    @property
    def task_ids(self) -> list[str]:
        """Ids of the T tasks."""
        return [task.task_id for task in self.tasks]

    @property
    def class_of(self) -> Tensor:
        """The class of each item, int64 [M], of a data set whose only task is of kind class."""
        return self.labels[:, 0].long()

    def x(self, rows: Tensor) -> Any:
        """Return the inputs of the items at positions `rows` (int64 [B])."""
        assert self.inputs is not None
        return self.inputs.batch(rows if self.input_rows is None else self.input_rows[rows])

    def passes(self, rows: Tensor, most: int) -> tuple[Tensor, ...]:
        """Return positions `rows` in parts that a network predicts one after the other; none of no rows.

        A part has at most `most` items, which bounds memory. Where a batch reads all items anyway, as one
        of a graph whose nodes are the items does, all `rows` are one part: k parts would cost k times that.
        """
        if not len(rows):
            return ()
        return (rows,) if getattr(self.inputs, "reads_all", False) else rows.split(most)

    def relations(self) -> tuple[Tensor, Tensor]:
        """Return (edges, scores): int64 [2, E] task positions, each pair once, and float32 [E] in 0 to 1."""
        return self.edge_index, self.edge_score

    def with_split(self, folder: Path, split: str) -> "PreparedDataset":
        """Return the same data under another split of `folder`, sharing all tensors but the folds.

        The labels are read again where a split hides some of them. An input that learns from training items
        learns from those of the other split.
        """
        ids, labels = self.item_ids.cpu().numpy(), self.labels.cpu().numpy()
        if self.hides:
            _require_tables(folder, "labels")
            labels, _ = read_labels(folder / in_dataset("labels"), ids, self.task_ids)
        folds = read_split(_checked_split(folder, split), ids, self.task_ids, labels)
        device = self.labels.device
        shown = self.labels if not self.hides and folds.hidden is None else _shown(labels, folds).to(device)
        own = _on_device(folds, device)
        return replace(self, labels=shown, inputs=fitted(self.inputs, own["folds"]["train"]), **own)

    @classmethod
    def load(
        cls,
        folder: Path,
        split: str,
        tasks: Sequence[str] | None = None,
        inputs: str = "graph",
        device: torch.device | str = "cpu",
    ) -> "PreparedDataset":
        """Read a data set's folder for one split, e.g. "scaffold-0", and one kind of input.

        Args:
            folder: with items, tasks, labels, classes and relations (both optional), splits/ and features/.
            split: scheme and seed, the name of the split file.
            tasks: task ids to keep; default: all. The data set's order stays.
            inputs: form of a batch, e.g. "graph" or "ecfp" of molecules, or "none" for labels alone.
            device: where the tensors shall lie.

        Raises:
            RelataskError: a file is missing, belongs to other items or is not what its record describes, or
                a task is unknown.
        """
        folder = Path(folder)
        _require_tables(folder, *DATASET_READ)
        items = read_table("items", folder / in_dataset("items"), ["item_id"], [SAMPLE_WEIGHT])
        item_ids = items["item_id"].to_numpy()
        chosen = read_tasks(folder, tasks)
        task_ids = [task.task_id for task in chosen]
        features = None if inputs == "none" else load_input(folder / in_dataset("features"), inputs, device)
        if features is not None and len(features) != len(item_ids):
            raise RelataskError(
                f"{folder / in_dataset('features')} holds {len(features)} items, but "
                f"{folder / in_dataset('items')} has {len(item_ids)}; delete the folder and run the workflow "
                "again."
            )
        labels, bounds = read_labels(folder / in_dataset("labels"), item_ids, task_ids)
        edge_index, edge_score = read_relations(folder / in_dataset("relations"), task_ids)
        folds = read_split(_checked_split(folder, split), item_ids, task_ids, labels)
        own = _on_device(folds, device)
        return cls(
            tasks=chosen,
            labels=_shown(labels, folds).to(device),
            item_ids=torch.from_numpy(item_ids.astype(np.int64)).to(device),
            inputs=fitted(features, own["folds"]["train"]),
            edge_index=torch.from_numpy(edge_index).to(device),
            edge_score=torch.from_numpy(edge_score).to(device),
            bounds=None if bounds is None else torch.from_numpy(bounds).to(device),
            sample_weights=_weights_of(items, device),
            **own,
        )


def _weights_of(items: pd.DataFrame, device: torch.device | str) -> Tensor | None:
    """Return the weights of items, float32 [M]; a text column of that name is one that a user keeps."""
    if SAMPLE_WEIGHT not in items or items[SAMPLE_WEIGHT].dtype != np.float32:
        return None
    return torch.tensor(items[SAMPLE_WEIGHT].to_numpy(), device=device)


def _require_tables(folder: Path, *names: str) -> None:
    """Refuse tables of other data than dataset.json describes, whose digest trained runs are kept under."""
    require_recorded(folder / in_dataset("dataset"), *(folder / in_dataset(name) for name in names))


def _checked_split(folder: Path, split: str) -> Path:
    """Return the file of a split, after comparing it with its record."""
    scheme, _, seed = split.rpartition("-")
    path = folder / in_dataset("split", scheme=scheme, seed=seed)
    require_recorded(path.with_suffix(".json"), path)
    return path


def _shown(labels: np.ndarray, folds: Folds) -> Tensor:
    """Return the labels that may be read, float32 [M, T]: hidden ones are missing."""
    return torch.from_numpy(labels if folds.hidden is None else np.where(folds.hidden, np.nan, labels))


def _on_device(folds: Folds, device: torch.device | str) -> dict[str, Any]:
    """Return `folds`, `cell_folds` and `hides` of a `PreparedDataset`."""
    return {
        "folds": {fold: torch.from_numpy(rows).to(device) for fold, rows in folds.rows.items()},
        "cell_folds": None if folds.cells is None else torch.from_numpy(folds.cells).to(device),
        "hides": folds.hidden is not None,
    }
