"""What a trained model says of new items, as a table for people."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.plugins import InputRecord, input_records, load_file
from relatask.core.records import suggest
from relatask.core.registry import loop_of
from relatask.inputs.cells import are_whole
from relatask.models.loading import load_model
from relatask.models.record import ENSEMBLE, Scale
from relatask.models.trained_model import TrainedModel

if TYPE_CHECKING:
    from relatask.models.ensemble import Ensemble

REASON = "reason"  # column that says why an item has no prediction


def load(path: str | Path, device: str = "cpu") -> "Model | Ensemble":
    """Load a trained model: the folder `model` of a run, that of a run in results/STUDY/runs, or an ensemble.

    Raises:
        RelataskError: there is no model, it is damaged, or this version of relatask cannot use it.
    """
    from relatask.models.ensemble import load_ensemble  # which is made of models

    if (Path(path) / ENSEMBLE).is_file():
        return load_ensemble(Path(path), device)
    return Model(load_model(path, device))


class Model:
    """A trained model, for people and programs that ask it about new items.

    Example: ``relatask.load("results/demo/runs/0123456789ab").predict(["CCO", "c1ccccc1"])``.
    """

    def __init__(self, trained: TrainedModel):
        self.trained = trained
        self.loop = loop_of(trained.record.spec.method.name)

    @property
    def task_ids(self) -> list[str]:
        """Ids of the tasks that it predicts, in the order of the columns of a prediction."""
        return self.trained.task_ids

    @property
    def names(self) -> dict[str, str]:
        """Task id -> name of the task, as its source writes it."""
        return {task.task_id: task.name for task in self.trained.record.tasks}

    @property
    def units(self) -> dict[str, str]:
        """Task id -> unit of what is predicted, of tasks that have one."""
        return {task.task_id: task.unit for task in self.trained.record.tasks if task.unit}

    @property
    def columns(self) -> list[str]:
        """Columns of a prediction."""
        return [*self.task_ids, REASON]

    @property
    def column(self) -> str:
        """The column of items that a plain list is: `smiles`, `text`; empty where a list says too little."""
        return _column_of(self.trained)

    def predict(self, items: Sequence[str] | pd.DataFrame, known: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return what the model says of items, a row for each in their order.

        Args:
            items: SMILES, or texts of a model that reads texts; or a table with the columns that the model's
                input is made from, such as `smiles` or `text`, and if wanted `item_id`. Of a forecaster,
                values of all series at successive points.
            known: results that are known of the items, a row for each and a column for each such task, NaN
                where unknown. Methods that read known labels use them. Of few-shot learning, the class of
                each image that shows a class, NaN for those to be classified.

        Returns:
            A column for each task: the probability of label 1, a value in the task's unit, or the name of a
            class; a known result stays as it is. Where tasks are of several levels, such as graphs and their
            nodes, cells of another level than the item's are empty. Where an item cannot be predicted its row
            is empty and the column `reason` says why. A forecaster returns the points that follow, a row for
            each.

        Raises:
            RelataskError: the items are of another kind, or `known` names a task that the model lacks.
        """
        if self.loop.forecasts:
            return self._forecast(items)
        table, reasons = as_items(items, self.trained)
        if self.loop.episodes:
            return self._classify(table, known)
        usable = np.flatnonzero([reason is None for reason in reasons])
        labels = self._known_labels(known, len(reasons))
        scores = np.full(labels.shape, np.nan, np.float32)
        if len(usable):
            found = self.trained.scores_of_new(table, labels[torch.from_numpy(usable)])
            scores[usable] = np.where(self._of_other_levels(table), np.nan, found.cpu().numpy())
        given = labels.numpy()
        frame = pd.DataFrame(np.where(np.isnan(given), scores, given), columns=self.task_ids)
        for task in self.trained.record.tasks:
            if task.kind == "class":
                values = frame[task.task_id]
                names = [None if np.isnan(value) else task.classes[int(value)] for value in values]
                frame[task.task_id] = pd.Series(names, dtype=object)
        frame[REASON] = pd.Series(reasons, dtype=object)
        if isinstance(items, pd.DataFrame):
            frame.index = items.index
        return frame

    def _of_other_levels(self, table: pd.DataFrame) -> np.ndarray:
        """Return which cells [n, T] are of a task of another level than the item's, if tasks differ."""
        levels = np.array([task.level for task in self.trained.record.tasks], object)
        if len({*levels}) < 2 or "level" not in table:
            return np.zeros((len(table), len(levels)), bool)
        found: np.ndarray = table["level"].astype(object).to_numpy()[:, None] != levels
        return found

    def _known_labels(self, known: pd.DataFrame | None, n_items: int) -> Tensor:
        """Return labels float32 [n, T] that are known of items, NaN where not."""
        labels = torch.full((n_items, len(self.task_ids)), torch.nan)
        if known is None:
            return labels
        _require_rows(known, n_items)
        for name in known.columns:
            if name not in self.task_ids:
                raise RelataskError(
                    f"known: the model has no task {name!r}.{suggest(str(name), self.task_ids)}"
                )
            column = self.task_ids.index(name)
            classes = self.trained.record.tasks[column].classes
            values = known[name]
            if classes:
                values = values.map({text: place for place, text in enumerate(classes)})
            numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float32)
            labels[:, column] = torch.from_numpy(numbers)
        return labels

    def _forecast(self, items: Sequence[str] | pd.DataFrame) -> pd.DataFrame:
        """Return the values that follow those of a table of all series, in their own units."""
        if not isinstance(items, pd.DataFrame):
            raise RelataskError("a forecaster reads a table with a column for each series, oldest row first.")
        record = self.trained.record
        window = record.spec.required_encoder().options["window"]
        if len(items) < window:
            raise RelataskError(f"the table has {len(items)} points, the model reads {window}; give more.")
        values = np.stack([_last_values(items, scale, window) for scale in record.scaling], axis=1)
        mean = np.array([scale.mean for scale in record.scaling])
        deviation = np.array([scale.deviation for scale in record.scaling])
        scaled = ((values - mean) / deviation).astype(np.float32)
        points = pd.DataFrame({"item_id": np.arange(window), "values": list(scaled)})
        found = self.trained.forecast(points, record.spec.method.options["horizon"]).cpu().numpy()
        place = {scale.task_id: column for column, scale in enumerate(record.scaling)}
        own = [place[task] for task in self.task_ids]
        return pd.DataFrame(found * deviation[own] + mean[own], columns=self.task_ids)

    def _classify(self, items: pd.DataFrame, known: pd.DataFrame | None) -> pd.DataFrame:
        """Return the class of each image without one, by the images that show each class."""
        if known is None or known.shape[1] != 1:
            raise RelataskError(
                "few-shot learning needs `known`: one column, the class of the images that show each class."
            )
        _require_rows(known, len(items))
        column = known.columns[0]
        shown = known[column].reset_index(drop=True)
        names = sorted(shown.dropna().unique())
        places = [np.flatnonzero(shown == name) for name in names]
        queries = np.flatnonzero(shown.isna())
        sizes = {len(own) for own in places}
        if len(names) < 2 or len(sizes) != 1:
            raise RelataskError("known must show two classes or more, each by the same number of images.")
        found = self.trained.classes_of(items, np.stack(places), queries)
        answer = shown.astype(object)
        answer.iloc[queries] = [names[place] for place in found.tolist()]
        return pd.DataFrame({column: answer, REASON: None})


def _last_values(table: pd.DataFrame, scale: Scale, window: int) -> np.ndarray:
    """Return the last `window` values of a series, float64, from the column of its name or task id.

    Raises:
        RelataskError: there is no such column, or one of the values is no number.
    """
    column = next((name for name in (scale.name, scale.task_id) if name in table), None)
    if column is None:
        hint = suggest(scale.name, [str(name) for name in table])
        raise RelataskError(f"the table lacks the series {scale.name!r}, which the model reads.{hint}")
    last = table[column].iloc[len(table) - window :]
    values = pd.to_numeric(last, errors="coerce").to_numpy(np.float64)
    if not np.isfinite(values).all():
        row = int(np.argmax(~np.isfinite(values)))
        raise RelataskError(
            f"series {scale.name!r}, row {len(table) - window + row + 1} of {len(table)}: "
            f"{str(last.iloc[row])!r} is no number; the last {window} rows must be complete."
        )
    return values


def _require_rows(known: pd.DataFrame, n_items: int) -> None:
    if len(known) != n_items:
        raise RelataskError(f"known has {len(known)} rows for {n_items} items; give one for each, in order.")


def as_items(
    items: Sequence[str] | pd.DataFrame, model: TrainedModel
) -> tuple[pd.DataFrame, list[str | None]]:
    """Return a table of those items that can be predicted, and for each item why not, or None.

    SMILES are standardised as those of training. Of other items, the input's file may say by
    `unusable(items)` why it cannot read them. An item that the model was trained on has its id there, any
    other one that follows from its content: what a method draws for an item depends on no other item.
    """
    record, column = _input_of(model), _column_of(model)
    if not isinstance(items, pd.DataFrame):
        if record and not column:
            raise RelataskError(
                f"the model reads {record.summary}; give a table of the items, not a list: docs/models.md "
                "says with which columns."
            )
        items = pd.DataFrame({column: list(items)})
    if record and column and column not in items:
        hint = suggest(column, [str(name) for name in items])
        raise RelataskError(f"the table has no column {column!r}, which the model reads.{hint}")
    if column != "smiles" or "smiles" not in items or "item_id" in items:
        table = items.reset_index(drop=True)
        if record and record.whole and not column and "item_id" not in table:  # a graph, or many
            raise RelataskError("the table has no column 'item_id', by which nodes name their neighbours.")
        if "item_id" not in table:
            contents = (b"\0".join(map(_as_bytes, row)) for row in table.itertuples(index=False))
            table = table.assign(item_id=np.array([_id_of(content) for content in contents], np.int64))
        table = table.assign(item_id=_whole_ids(table["item_id"]))
        reasons_of = getattr(load_file(record), "unusable", None) if record else None
        why = reasons_of(table) if reasons_of else [None] * len(table)
        return table[[reason is None for reason in why]].reset_index(drop=True), why
    from relatask.data.standardise import Limits, Rejection, standardise_all

    how = {"neutralise": False, "fragments": "largest", **model.record.standardised}
    limits = Limits(min_heavy_atoms=1, min_weight=0.0, max_weight=float("inf"), **how)
    found, reasons = [], []
    texts = [text if isinstance(text, str) else None for text in items["smiles"]]
    for _, result in standardise_all(texts, limits):  # which keeps RDKit from printing what the reasons say
        reasons.append(str(result) if isinstance(result, Rejection) else None)
        if not isinstance(result, Rejection):
            found.append(result.smiles)
    ids = [_id_of(text.encode()) for text in found]
    return pd.DataFrame({"item_id": np.array(ids, np.int64), "smiles": found}), reasons


def _input_of(model: TrainedModel) -> InputRecord | None:
    """Return what the items of a model are read as, None where it reads labels alone."""
    while model.members:
        model = model.members[0]
    return next((input_records()[name] for name in model.record.inputs), None)


def _column_of(model: TrainedModel) -> str:
    """Return the column that the items of a model are made from, "" where that is more than one."""
    record = _input_of(model)
    return record.column if record else "smiles"  # of a model that reads labels alone, any will do


def _whole_ids(given: pd.Series) -> np.ndarray:
    """Return the ids int64 [n] of items.

    Raises:
        RelataskError: one is no whole number.
    """
    numbers = pd.to_numeric(given, errors="coerce")
    wrong = ~are_whole(numbers.to_numpy(np.float64, na_value=np.nan))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise RelataskError(
            f"item_id, row {row + 1} of {len(given)}: {given.iloc[row]!r} is no whole number; number items."
        )
    return numbers.to_numpy(np.int64)


def _id_of(content: bytes) -> int:
    """Return an id of an item, beyond those of any table: 62 bits of a digest of its content."""
    return (int.from_bytes(hashlib.sha256(content).digest()[:8]) >> 2) | 2**40


def _as_bytes(cell: object) -> bytes:
    """Return what a cell of a table of items holds: bytes, numbers of a vector, or anything as text."""
    if isinstance(cell, bytes):
        return cell
    return np.asarray(cell).tobytes() if isinstance(cell, np.ndarray | list | tuple) else str(cell).encode()
