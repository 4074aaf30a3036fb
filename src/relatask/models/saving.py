"""The files of a trained model, as bytes, for the journal to write."""

import io
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from torch import Tensor

from relatask.core.files import bytes_digest, json_text
from relatask.models.record import NAME, ModelRecord

FOLDER = "model"  # of a run's entry in the journal
ESTIMATOR = "estimator"  # key of weights that hold an estimator of scikit-learn, as skops writes it
LIBRARIES = ("torch", "numpy", "scikit-learn", "rdkit")


def model_files(
    record: ModelRecord,
    weights: Mapping[str, Mapping[str, Tensor]],
    support: Mapping[str, np.ndarray] | None = None,
    parts: Mapping[str, Mapping[str, bytes]] | None = None,
    items: bytes | None = None,
) -> dict[str, bytes]:
    """Return file -> content of a model, below its folder.

    Args:
        record: what the model is; its `files` are filled in here.
        weights: of each of its units, or of "" where one model serves all tasks.
        support: arrays of the training items whose labels it reads when it predicts.
        parts: folder -> files of models that it is made of, or of its prior.
        items: table of the training items, as Parquet.
    """
    files: dict[str, bytes] = {}
    tensors: dict[str, Tensor] = {}
    for number, (unit, values) in enumerate(weights.items()):
        for name, value in values.items():
            if name == ESTIMATOR:
                files[f"estimators/{number:05d}.skops"] = value.numpy().tobytes()
            else:
                tensors[f"{unit}/{name}" if unit else name] = value.detach().cpu()
    if tensors:
        files["weights.safetensors"] = tensor_bytes(tensors)
    if support is not None:
        files["support.safetensors"] = tensor_bytes({name: torch.from_numpy(of) for name, of in support.items()})
    for folder, content in (parts or {}).items():
        files |= {f"{folder}/{name}": value for name, value in content.items()}
    if items is not None:
        files["items.parquet"] = items
    digests = {name: bytes_digest(content) for name, content in sorted(files.items())}
    values = {**record.as_dict(), "files": digests}
    return {NAME: json_text(values).encode(), **files}


def tensor_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Return tensors as safetensors: plain numbers, of which loading executes nothing."""
    from safetensors.torch import save  # here, because a shard that keeps no model does without

    return save({name: value.contiguous().clone() for name, value in tensors.items()})


def libraries() -> dict[str, str]:
    """Return name -> version of the libraries that decide what a model predicts, where they are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a shard needs no RDKit
            continue
    return found


def items_table(columns: Mapping[str, Sequence[Any] | np.ndarray]) -> bytes:
    """Return a table of training items as Parquet, e.g. of their SMILES and fingerprints."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    arrays = {name: pa.array(_rows(values)) for name, values in columns.items()}
    pq.write_table(pa.table(arrays), buffer, compression="zstd")
    return buffer.getvalue()


def _rows(values: Sequence[Any] | np.ndarray) -> Any:
    """Return values as Arrow takes them; rows of a matrix of bytes become bytes."""
    if isinstance(values, np.ndarray) and values.ndim == 2:
        return [row.tobytes() for row in values]
    return values
