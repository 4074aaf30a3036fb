"""One run from its spec to predictions, history and weights."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pandas as pd
import torch

from relatask.data.tensors import PreparedDataset
from relatask.registry import Capabilities, capabilities
from relatask.source_code import code_of
from relatask.training.checkpoint import Checkpoint
from relatask.training.spec import RunSpec
from relatask.training.unit import EVALUATED, Unit, UnitResult, units_of


@dataclass(frozen=True)
class RunResult:
    """What a run leaves behind; `weights` is None for methods without tensors."""

    predictions: pd.DataFrame  # columns of table "predictions", held-out cells with a label
    history: pd.DataFrame  # columns of table "history"
    weights: dict[str, Any] | None  # the state of the network, or one per task


def code_of_run(spec: RunSpec) -> str:
    """Digest of the code that decides the run's numbers: loop, method, encoder and what they import."""
    loop = capabilities("methods", spec.method).loop
    parts = ["training/run.py", f"training/loops/{loop}.py", f"methods/{spec.method}.py"]
    return code_of(*parts, *([f"encoders/{spec.encoder}.py"] if spec.encoder else []))


def inputs_of(spec: RunSpec) -> str:
    """The kind of input a run reads: its encoder's, or its method's where that has no encoder."""
    ability = capabilities("methods", spec.method)
    if ability.uses_encoder:
        ability = capabilities("encoders", str(spec.encoder))
    return ability.inputs[0]


def train_run(
    spec: RunSpec, data: PreparedDataset, checkpoint: Checkpoint, progress: Callable[[str], None]
) -> RunResult:
    """Train every unit of the run that the checkpoint does not hold yet."""
    ability = capabilities("methods", spec.method)
    loop = import_module(f"relatask.training.loops.{ability.loop}")
    units = units_of(spec, data, ability.per_task)
    for number in range(len(checkpoint.finished), len(units)):
        unit = units[number]
        place = f"task {number + 1}/{len(units)} · " if unit.name else ""
        result: UnitResult = loop.train(unit, checkpoint, lambda text, place=place: progress(place + text))
        checkpoint.finish(result.as_dict())
    return _collect(spec, ability, units, [UnitResult(**finished) for finished in checkpoint.finished])


def _collect(spec: RunSpec, ability: Capabilities, units: list[Unit], results: list[UnitResult]) -> RunResult:
    cells = [
        _cells(unit, fold, result) for unit, result in zip(units, results, strict=True) for fold in EVALUATED
    ]
    predictions = pd.concat(cells, ignore_index=True)
    predictions["run_id"] = spec.run_id
    order = ["fold", "item_id", "task"]
    predictions = predictions.sort_values(order, kind="stable").reset_index(drop=True)
    predictions["task_id"] = [units[0].data.task_ids[task] for task in predictions["task"]]
    history = pd.DataFrame(
        [
            {"run_id": spec.run_id, "task_id": unit.name or None, **row}
            for unit, result in zip(units, results, strict=True)
            for row in result.history
        ],
        columns=[
            "run_id",
            "task_id",
            "epoch",
            "train_loss",
            "valid_metric",
            "seconds",
            "examples_per_second",
        ],
    )
    weights: dict[str, Any] | None = None
    if results and results[0].weights is not None:
        per_task = {unit.name: result.weights for unit, result in zip(units, results, strict=True)}
        weights = per_task if ability.per_task else results[0].weights
    return RunResult(predictions.drop(columns="task"), history, weights)


def _cells(unit: Unit, fold: str, result: UnitResult) -> pd.DataFrame:
    """Score and label of each labelled cell of a fold."""
    rows = unit.rows(fold)
    labels = unit.labels(rows)
    row, column = torch.nonzero(~labels.isnan(), as_tuple=True)
    return pd.DataFrame(
        {
            "fold": fold,
            "item_id": unit.data.mol_ids[rows[row]].cpu().numpy(),
            "task": unit.columns[column].cpu().numpy(),
            "label": labels[row, column].cpu().numpy(),
            "score": result.scores[fold][row.cpu(), column.cpu()].numpy(),
        }
    )
