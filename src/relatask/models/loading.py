"""A trained model from its folder, checked file by file."""

import logging
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.files import read_fields, sha256_of
from relatask.core.plugins import input_records, load_file, record_of
from relatask.core.registry import capabilities
from relatask.engine.loops.estimator import ESTIMATOR
from relatask.journal.digests import code_of_run
from relatask.journal.journal import MODEL
from relatask.journal.journal_entry import read_record as read_entry
from relatask.models.new_items import NewItems
from relatask.models.record import LEARNED, NAME, ModelRecord, read_record
from relatask.models.trained_model import Support, TrainedModel

log = logging.getLogger(__name__)


def load_model(path: str | Path, device: torch.device | str = "cpu") -> TrainedModel:
    """Load a trained model; it needs neither the study nor its results.

    Args:
        path: the model's folder, or the entry of a run in a journal (results/STUDY/runs/RUN).
        device: that shall predict.

    Raises:
        RelataskError: there is no model, a file is damaged or absent, or this version of relatask lacks its
            method or makes its inputs otherwise, or there is no GPU where one is asked for.
    """
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise RelataskError("there is no GPU that torch can use; predict on the CPU (--device cpu).")
    folder = Path(path)
    if not (folder / NAME).is_file() and (folder / MODEL / NAME).is_file():
        folder /= MODEL
    record = read_record(folder)
    _check_files(folder, record)
    _check_code(folder, record)
    _check_entry(folder)
    return TrainedModel(
        record=record,
        folder=folder,
        device=torch.device(device),
        weights={} if record.members else _read_weights(folder, record),
        support=_read_support(folder, record),
        members=tuple(load_model(folder / member.folder, device) for member in record.members),
        prior=load_model(folder / record.prior, device) if record.prior else None,
        learned=read_fields(folder / LEARNED) if LEARNED in record.files else None,
    )


def _check_entry(folder: Path) -> None:
    """Raise where the model in a journal is not the one that its run wrote, as after two were swapped."""
    entry = folder.parent
    if folder.name != MODEL or not (entry / "run.json").is_file():
        return
    written = read_entry(entry)["files"].get(f"{MODEL}/{NAME}")
    if written != sha256_of(folder / NAME):
        raise RelataskError(
            f"{folder} is not the model that run {entry.name} wrote; delete {entry} and run again."
        )


def _check_files(folder: Path, record: ModelRecord) -> None:
    """Raise where a file of the model is absent or is not as it was written, or lies outside its folder."""
    parts = [*record.files, *(member.folder for member in record.members), record.prior or "prior"]
    for name in parts:
        inside = PurePosixPath(name)
        if inside.is_absolute() or not inside.parts or ".." in inside.parts:
            raise RelataskError(
                f"{folder / NAME} names {name!r}, which is no part of its folder; do not trust it."
            )
    for name, digest in record.files.items():
        path = folder / name
        if not path.is_file() or sha256_of(path) != digest:
            state = "damaged" if path.is_file() else "absent"
            raise RelataskError(f"{path} is {state}; copy the model's whole folder anew, or train it again.")


def _check_code(folder: Path, record: ModelRecord) -> None:
    """Raise where this relatask cannot make what the model reads; warn where its code trained another one."""
    capabilities("methods", record.spec.method.name)
    if record.spec.encoder:
        capabilities("encoders", record.spec.encoder.name)
    for name, used in record.inputs.items():
        current = load_file(record_of(input_records(), name, "input")).VERSION
        if current != used:
            raise RelataskError(
                f"{folder}: the model reads version {used} of the input {name!r}, and this relatask makes "
                f"version {current}; train the model again."
            )
    if record.code and record.code != code_of_run(*record.spec.names):
        log.warning(
            "%s: the code of %s changed since the model was trained, so it may predict otherwise than in its "
            "test; train it again to be sure.",
            folder,
            record.spec.method.name,
        )


def _read_weights(folder: Path, record: ModelRecord) -> dict[str, dict[str, Tensor]]:
    """Return the weights of each problem of the model, or of "" where one model serves all its tasks."""
    problems = record.learned_alone or ("",)
    weights: dict[str, dict[str, Tensor]] = {problem: {} for problem in problems}
    if "weights.safetensors" in record.files:
        path = folder / "weights.safetensors"
        for name, value in _read_tensors(path).items():
            problem, _, own = name.partition("/") if record.learned_alone else ("", "", name)
            if problem not in weights:
                raise RelataskError(f"{path} has weights of {problem!r}, no task of the model; get it anew.")
            weights[problem][own] = value
    for number, problem in enumerate(problems):
        name = f"estimators/{number:05d}.skops"
        if name in record.files:
            content = np.fromfile(folder / name, np.uint8)
            weights[problem][ESTIMATOR] = torch.from_numpy(content)
    return weights


def _read_support(folder: Path, record: ModelRecord) -> Support | None:
    """Return the training items that the model reads when it predicts, None where it reads none."""
    if "support.parquet" not in record.files:
        return None
    import pandas as pd

    path = folder / "support.safetensors"
    tensors = _read_tensors(path)
    n_passes = sum(name.startswith("pass/") for name in tensors)
    try:
        passes = tuple(tensors[f"pass/{number}"] for number in range(n_passes))
        items = pd.read_parquet(folder / "support.parquet")
        support = Support(NewItems(items), tensors["item_ids"], tensors["labels"], passes)
    except (KeyError, ValueError, OSError) as error:
        raise RelataskError(
            f"{path} and support.parquet are damaged ({error}); get the model anew."
        ) from None
    if support.labels.shape != (len(items), len(record.tasks)) or len(support.item_ids) != len(items):
        raise RelataskError(
            f"{path} has labels {list(support.labels.shape)} for {len(items)} items and {len(record.tasks)} "
            "tasks; get the model anew."
        )
    return support


def _read_tensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file as read

    try:
        return read(path)
    except (SafetensorError, OSError) as error:
        raise RelataskError(f"{path} holds no tensors ({error}); copy the model anew.") from None
