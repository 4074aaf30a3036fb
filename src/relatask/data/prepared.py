"""A prepared data set as flat tensors on one device: labels, folds, and inputs by index operations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import suggest
from relatask.core.tables import read_table
from relatask.data.prepared_tables import read_classes, read_labels, read_relations, read_split, select_tasks
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
    """M molecules with labels of T tasks, one split, and one kind of input."""

    task_ids: list[str]
    labels: Tensor  # float32 [M, T], NaN where not measured
    item_ids: Tensor  # int64 [M]
    folds: dict[str, Tensor]  # fold -> int64 positions of the molecules with a label in these tasks
    inputs: MoleculeGraphs | Fingerprints | Series | Images | None  # None for what reads labels alone
    edge_index: Tensor  # int64 [2, E]
    edge_score: Tensor  # float32 [E]
    cell_folds: Tensor | None = None  # uint8 [M, T] where cells are split and not molecules: place in FOLDS
    classes: Tensor | None = None  # int64 [M], position of an item's class in task_ids; labels is then [M, 0]

    def x(self, rows: Tensor) -> GraphBatch | Tensor:
        """Return the inputs of the molecules at positions `rows` (int64 [B])."""
        assert self.inputs is not None
        return self.inputs.batch(rows)

    def relations(self) -> tuple[Tensor, Tensor]:
        """Return (edges, scores): int64 [2, E] task positions, each pair once, and float32 [E] in 0 to 1."""
        return self.edge_index, self.edge_score

    def with_split(self, folder: Path, split: str) -> "PreparedDataset":
        """Return the same data under another split of `folder`, sharing all tensors but the folds."""
        ids, labels, has_classes = (
            self.item_ids.cpu().numpy(),
            self.labels.cpu().numpy(),
            self.classes is not None,
        )
        folds, cells = read_split(folder, split, ids, self.task_ids, labels, has_classes)
        return replace(self, **_on_device(folds, cells, self.labels.device))

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
            folder: with molecules, tasks, labels, relations (optional), splits/ and features/.
            split: scheme and seed, the name of the split file.
            tasks: task ids to keep; default: all. The data set's order stays.
            inputs: "graph" or "ecfp" of molecules, "series", "image", or "none" for labels alone.
            device: where the tensors shall lie.

        Raises:
            RelataskError: a file is missing or belongs to other molecules, or a task is unknown.
        """
        folder = Path(folder)
        is_plain = (folder / "items.parquet").exists()
        table = "items" if is_plain else "molecules"
        item_ids = read_table(table, folder / f"{table}.parquet", ["item_id"])["item_id"].to_numpy()
        task_ids = select_tasks(folder / "tasks.parquet", tasks)
        features = _read_features(folder, inputs, device)
        if features is not None and len(features) != len(item_ids):
            raise RelataskError(
                f"{folder / 'features'} holds {len(features)} {table}, but {folder / f'{table}.parquet'} "
                f"has {len(item_ids)}; delete the folder and run the workflow again."
            )
        classes, labels = None, np.zeros((len(item_ids), 0), np.float32)
        if (path := folder / "classes.parquet").exists():
            classes = torch.from_numpy(read_classes(path, item_ids, task_ids)).to(device)
        else:
            labels = read_labels(folder / "labels.parquet", item_ids, task_ids)
        edge_index, edge_score = read_relations(folder / "relations.parquet", task_ids)
        return cls(
            task_ids=task_ids,
            labels=torch.from_numpy(labels).to(device),
            item_ids=torch.from_numpy(item_ids.astype(np.int64)).to(device),
            inputs=features,
            edge_index=torch.from_numpy(edge_index).to(device),
            edge_score=torch.from_numpy(edge_score).to(device),
            classes=classes,
            **_on_device(*read_split(folder, split, item_ids, task_ids, labels, classes is not None), device),
        )


def _read_features(
    folder: Path, inputs: str, device: torch.device | str
) -> MoleculeGraphs | Fingerprints | Series | Images | None:
    if inputs == "none":
        return None
    if inputs not in INPUTS:
        raise RelataskError(f"there is no input {inputs!r} of molecules.{suggest(inputs, INPUTS)}")
    return INPUTS[inputs].load(folder / "features", device)  # type: ignore[attr-defined]


def _on_device(
    folds: dict[str, np.ndarray], cells: np.ndarray | None, device: torch.device | str
) -> dict[str, Any]:
    """Return `folds` and `cell_folds` of a `PreparedDataset`."""
    return {
        "folds": {fold: torch.from_numpy(rows).to(device) for fold, rows in folds.items()},
        "cell_folds": None if cells is None else torch.from_numpy(cells).to(device),
    }
