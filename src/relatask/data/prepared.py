"""A prepared data set as flat tensors on one device: labels, folds, and inputs by index operations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.core.tables import read_table
from relatask.data.prepared_tables import Folds, read_labels, read_relations, read_split
from relatask.data.tasks import Task, read_tasks
from relatask.inputs.graph_batch import GraphBatch, MoleculeGraphs, read_array


@dataclass(frozen=True)
class Fingerprints:
    """ECFP bits, packed eight to a byte until a batch needs them."""

    packed: Tensor  # uint8 [n_molecules, n_bits / 8]
    bits_of: Tensor  # float32 [256, 8]: the bits of a byte, first bit first, as np.packbits writes them

    def __len__(self) -> int:
        """Number of molecules."""
        return len(self.packed)

    def batch(self, rows: Tensor) -> Tensor:
        """Return the bits of the molecules at positions `rows` as float32 [B, n_bits] of 0 and 1."""
        return self.bits_of[self.packed[rows].long()].flatten(1)

    @classmethod
    def load(cls, folder: Path, device: torch.device | str = "cpu") -> "Fingerprints":
        """Read the packed bits of a `features` folder and put them on `device`."""
        path = folder / "ecfp4.npy"
        packed = torch.from_numpy(np.array(read_array(path)))
        if packed.dtype != torch.uint8 or packed.ndim != 2:
            raise RelataskError(f"{path} holds no packed bits; delete it and run featurise_molecules again.")
        bytes_ = np.arange(256, dtype=np.uint8)[:, None]
        bits_of = torch.from_numpy(np.unpackbits(bytes_, axis=1).astype(np.float32))
        return cls(packed.to(device), bits_of.to(device))


@dataclass(frozen=True)
class Series:
    """Measured values at points in time, which are the items."""

    values: Tensor  # float32 [n_points, T], standardised

    def __len__(self) -> int:
        """Number of points."""
        return len(self.values)

    def batch(self, rows: Tensor) -> Tensor:
        """Return the values at positions `rows`, float32 [B, T]."""
        return self.values[rows]

    def windows(self, starts: Tensor, length: int) -> Tensor:
        """Return `length` values from each of `starts` (int64 [B]) on, float32 [B, length, T]."""
        return self.values[starts[:, None] + torch.arange(length, device=starts.device)]

    @classmethod
    def load(cls, folder: Path, device: torch.device | str = "cpu") -> "Series":
        """Read the values of a `features` folder and put them on `device`."""
        return cls(torch.from_numpy(np.array(read_array(folder / "series.npy"))).to(device))


@dataclass(frozen=True)
class Images:
    """Pixels of images of one size, mapped from their file until a batch needs them."""

    pixels: Tensor  # uint8 [n_images, 3 S S]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.pixels)

    def batch(self, rows: Tensor) -> Tensor:
        """Return the images at positions `rows`, float32 [B, 3, S, S], as ImageNet's networks expect them."""
        side = round((self.pixels.shape[1] / 3) ** 0.5)
        pixels = self.pixels[rows].view(len(rows), 3, side, side).float() / 255
        mean, std = (torch.tensor(of, device=pixels.device)[:, None, None] for of in IMAGE_SCALE)
        return (pixels - mean) / std

    @classmethod
    def load(cls, folder: Path, device: torch.device | str = "cpu") -> "Images":
        """Map the pixels of a `features` folder; on a GPU they are copied."""
        pixels = torch.from_numpy(read_array(folder / "images.npy", "c"))
        return cls(pixels.to(device))


IMAGE_SCALE = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of ImageNet's colours
INPUTS = {"graph": MoleculeGraphs, "ecfp": Fingerprints, "series": Series, "image": Images}


@dataclass(frozen=True)
class PreparedDataset:
    """M items with labels of T tasks, one split, and one kind of input."""

    tasks: tuple[Task, ...]
    labels: Tensor  # float32 [M, T], NaN where not measured or hidden
    item_ids: Tensor  # int64 [M]
    folds: dict[str, Tensor]  # fold -> int64 positions of the items with a label in these tasks
    inputs: MoleculeGraphs | Fingerprints | Series | Images | None  # None for what reads labels alone
    edge_index: Tensor  # int64 [2, E]
    edge_score: Tensor  # float32 [E]
    cell_folds: Tensor | None = None  # uint8 [M, T] where cells are split and not items: place in FOLDS
    bounds: Tensor | None = None  # int8 [M, T]: -1 below, 1 above the label; None where all labels are values
    hides: bool = False  # whether the split hides labels, which are then missing in `labels`

    @property
    def task_ids(self) -> list[str]:
        """Ids of the T tasks."""
        return [task.task_id for task in self.tasks]

    @property
    def class_of(self) -> Tensor:
        """The class of each item, int64 [M], of a data set whose only task is of kind class."""
        return self.labels[:, 0].long()

    def x(self, rows: Tensor) -> GraphBatch | Tensor:
        """Return the inputs of the items at positions `rows` (int64 [B])."""
        assert self.inputs is not None
        return self.inputs.batch(rows)

    def relations(self) -> tuple[Tensor, Tensor]:
        """Return (edges, scores): int64 [2, E] task positions, each pair once, and float32 [E] in 0 to 1."""
        return self.edge_index, self.edge_score

    def with_split(self, folder: Path, split: str) -> "PreparedDataset":
        """Return the same data under another split of `folder`, sharing all tensors but the folds.

        The labels are read again where a split hides some of them.
        """
        ids, labels = self.item_ids.cpu().numpy(), self.labels.cpu().numpy()
        if self.hides:
            labels, _ = read_labels(folder / "labels.parquet", ids, self.task_ids)
        folds = read_split(_split_file(folder, split), ids, self.task_ids, labels)
        device = self.labels.device
        shown = self.labels if not self.hides and folds.hidden is None else _shown(labels, folds).to(device)
        return replace(self, labels=shown, **_on_device(folds, device))

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
            inputs: "graph" or "ecfp" of molecules, "series", "image", or "none" for labels alone.
            device: where the tensors shall lie.

        Raises:
            RelataskError: a file is missing or belongs to other items, or a task is unknown.
        """
        folder = Path(folder)
        item_ids = read_table("items", folder / "items.parquet", ["item_id"])["item_id"].to_numpy()
        chosen = read_tasks(folder, tasks)
        task_ids = [task.task_id for task in chosen]
        features = _read_features(folder, inputs, device)
        if features is not None and len(features) != len(item_ids):
            raise RelataskError(
                f"{folder / 'features'} holds {len(features)} items, but {folder / 'items.parquet'} "
                f"has {len(item_ids)}; delete the folder and run the workflow again."
            )
        labels, bounds = read_labels(folder / "labels.parquet", item_ids, task_ids)
        edge_index, edge_score = read_relations(folder / "relations.parquet", task_ids)
        folds = read_split(_split_file(folder, split), item_ids, task_ids, labels)
        return cls(
            tasks=chosen,
            labels=_shown(labels, folds).to(device),
            item_ids=torch.from_numpy(item_ids.astype(np.int64)).to(device),
            inputs=features,
            edge_index=torch.from_numpy(edge_index).to(device),
            edge_score=torch.from_numpy(edge_score).to(device),
            bounds=None if bounds is None else torch.from_numpy(bounds).to(device),
            **_on_device(folds, device),
        )


def _split_file(folder: Path, split: str) -> Path:
    return folder / "splits" / f"{split}.parquet"


def _shown(labels: np.ndarray, folds: Folds) -> Tensor:
    """Return the labels that may be read, float32 [M, T]: hidden ones are missing."""
    return torch.from_numpy(labels if folds.hidden is None else np.where(folds.hidden, np.nan, labels))


def _read_features(
    folder: Path, inputs: str, device: torch.device | str
) -> MoleculeGraphs | Fingerprints | Series | Images | None:
    if inputs == "none":
        return None
    if inputs not in INPUTS:
        raise RelataskError(f"there is no input {inputs!r} of molecules.{suggest(inputs, INPUTS)}")
    return INPUTS[inputs].load(folder / "features", device)  # type: ignore[attr-defined]


def _on_device(folds: Folds, device: torch.device | str) -> dict[str, Any]:
    """Return `folds`, `cell_folds` and `hides` of a `PreparedDataset`."""
    return {
        "folds": {fold: torch.from_numpy(rows).to(device) for fold, rows in folds.rows.items()},
        "cell_folds": None if folds.cells is None else torch.from_numpy(folds.cells).to(device),
        "hides": folds.hidden is not None,
    }
