"""A prepared data set as flat tensors on one device: labels, folds, and inputs by index operations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.artifacts import read_table
from relatask.data.graph_batch import GraphBatch, MoleculeGraphs, read_array
from relatask.errors import RelataskError
from relatask.registry import suggest

FOLDS = ("train", "valid", "test")


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
    mol_ids: Tensor  # int64 [M]
    folds: dict[str, Tensor]  # fold -> int64 positions of the molecules with a label in these tasks
    inputs: MoleculeGraphs | Fingerprints | Series | Images | None  # None for what reads labels alone
    edge_index: Tensor  # int64 [2, E]
    edge_score: Tensor  # float32 [E]
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
        labelled = ~self.labels.isnan().all(1).cpu().numpy() | (self.classes is not None)
        folds = _read_folds(folder / "splits" / f"{split}.parquet", self.mol_ids.cpu().numpy(), labelled)
        device = self.labels.device
        return replace(self, folds={fold: torch.from_numpy(rows).to(device) for fold, rows in folds.items()})

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
        table, key = ("items", "item_id") if is_plain else ("molecules", "mol_id")
        mol_ids = read_table(table, folder / f"{table}.parquet", [key])[key].to_numpy()
        task_ids = _select_tasks(folder / "tasks.parquet", tasks)
        features = _read_features(folder, inputs, device)
        if features is not None and len(features) != len(mol_ids):
            raise RelataskError(
                f"{folder / 'features'} holds {len(features)} {table}, but {folder / f'{table}.parquet'} "
                f"has {len(mol_ids)}; delete the folder and run the workflow again."
            )
        classes, labels = None, np.zeros((len(mol_ids), 0), np.float32)
        if (path := folder / "classes.parquet").exists():
            classes = torch.from_numpy(_read_classes(path, mol_ids, task_ids)).to(device)
        else:
            labels = _read_labels(folder / "labels.parquet", mol_ids, task_ids)
        labelled = np.logical_or(~np.isnan(labels).all(axis=1), classes is not None)
        folds = _read_folds(folder / "splits" / f"{split}.parquet", mol_ids, labelled)
        edge_index, edge_score = _read_relations(folder / "relations.parquet", task_ids)
        return cls(
            task_ids=task_ids,
            labels=torch.from_numpy(labels).to(device),
            mol_ids=torch.from_numpy(mol_ids.astype(np.int64)).to(device),
            folds={fold: torch.from_numpy(rows).to(device) for fold, rows in folds.items()},
            inputs=features,
            edge_index=torch.from_numpy(edge_index).to(device),
            edge_score=torch.from_numpy(edge_score).to(device),
            classes=classes,
        )


def _read_features(
    folder: Path, inputs: str, device: torch.device | str
) -> MoleculeGraphs | Fingerprints | Series | Images | None:
    if inputs == "none":
        return None
    if inputs not in INPUTS:
        raise RelataskError(f"there is no input {inputs!r} of molecules.{suggest(inputs, INPUTS)}")
    return INPUTS[inputs].load(folder / "features", device)  # type: ignore[attr-defined]


def _select_tasks(path: Path, tasks: Sequence[str] | None) -> list[str]:
    known = read_table("tasks", path, ["task_id"])["task_id"].tolist()
    if tasks is None:
        return known
    wanted = set(tasks)
    if unknown := sorted(wanted - set(known)):
        raise RelataskError(f"{path} has no task {unknown[0]!r}.{suggest(unknown[0], known)}")
    if not wanted:
        raise RelataskError(f"{path}: no task was chosen; name at least one, or none to take all.")
    return [task for task in known if task in wanted]


def _positions(path: Path, mol_ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where the ids `wanted` stand in `mol_ids`, which is sorted and holds each id once."""
    positions = np.searchsorted(mol_ids, wanted).clip(max=max(len(mol_ids) - 1, 0))
    if len(wanted) and (not len(mol_ids) or (known := mol_ids[positions] == wanted).sum() < len(wanted)):
        missing = wanted[~known][0] if len(mol_ids) else wanted[0]
        raise RelataskError(
            f"{path} names mol_id {missing}, which molecules.parquet beside it lacks; they were made from "
            "different data: run the workflow again."
        )
    return positions


def _read_labels(path: Path, mol_ids: np.ndarray, task_ids: list[str]) -> np.ndarray:
    """Return float32 [M, T] with NaN where there is no label."""
    if (np.diff(mol_ids) <= 0).any():
        raise RelataskError(f"{path.with_name('molecules.parquet')}: mol_id must rise from row to row.")
    frame = read_table("labels", path)
    tasks = frame["task_id"].astype("category").cat
    column_of = {task: column for column, task in enumerate(task_ids)}
    columns = np.array([column_of.get(task, -1) for task in tasks.categories], np.int64)[tasks.codes]
    rows = _positions(path, mol_ids, frame["mol_id"].to_numpy())
    kept = columns >= 0
    labels = np.full((len(mol_ids), len(task_ids)), np.nan, np.float32)
    labels[rows[kept], columns[kept]] = frame["label"].to_numpy()[kept]
    return labels


def _read_classes(path: Path, mol_ids: np.ndarray, task_ids: list[str]) -> np.ndarray:
    """Return the class of each item as its position in `task_ids`, int64 [M]."""
    frame = read_table("classes", path)
    rows = _positions(path, mol_ids, frame["mol_id"].to_numpy())
    classes = np.full(len(mol_ids), -1, np.int64)
    classes[rows] = pd.Categorical(frame["task_id"].astype(str), categories=task_ids).codes
    if len(rows) != len(mol_ids) or (classes < 0).any():
        raise RelataskError(
            f"{path} does not name a class of tasks.parquet once for each of {len(mol_ids)} items; run the "
            "step prepare_images again."
        )
    return classes


def _read_folds(path: Path, mol_ids: np.ndarray, labelled: np.ndarray) -> dict[str, np.ndarray]:
    """Return the positions of each fold's molecules, in the table's order, that have a label."""
    frame = read_table("split", path)
    rows = _positions(path, mol_ids, frame["mol_id"].to_numpy())
    if len(np.unique(rows)) != len(mol_ids) or len(rows) != len(mol_ids):
        raise RelataskError(
            f"{path} puts {len(np.unique(rows))} of {len(mol_ids)} molecules in a fold ({len(rows)} rows); "
            "each must be in exactly one: run the step split_molecules again."
        )
    fold_of = np.empty(len(mol_ids), object)
    fold_of[rows] = frame["fold"].to_numpy(object)
    if unknown := sorted(set(fold_of) - set(FOLDS)):
        raise RelataskError(f"{path} has the fold {unknown[0]!r}; only {', '.join(FOLDS)} exist.")
    return {fold: np.flatnonzero((fold_of == fold) & labelled) for fold in FOLDS}


def _read_relations(path: Path, task_ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges among `task_ids` as positions [2, E] and their scores [E]; none without a table."""
    if not path.exists():
        return np.zeros((2, 0), np.int64), np.zeros(0, np.float32)
    frame = read_table("relations", path, ["task_i", "task_j", "score"])
    position = pd.Series(np.arange(len(task_ids)), index=task_ids)
    frame = frame[frame["task_i"].isin(position.index) & frame["task_j"].isin(position.index)]
    ends = [position.loc[frame[column]].to_numpy(np.int64) for column in ("task_i", "task_j")]
    return np.stack(ends), frame["score"].to_numpy(np.float32, copy=True)
