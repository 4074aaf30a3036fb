"""What a trained model says of new items, as a table for people."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of
from relatask.core.records import suggest
from relatask.core.registry import loop_of
from relatask.data.tasks import Task
from relatask.models.items import ReadItems, as_items, column_of
from relatask.models.loading import load_model
from relatask.models.new_items import NewItems
from relatask.models.record import ENSEMBLE, NAME, Scale
from relatask.models.trained_model import TrainedModel
from relatask.models.wanted import ALL, Wanted

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
    def digest(self) -> str:
        """SHA-256 of its model.json, which holds those of its other files."""
        return sha256_of(self.trained.folder / NAME)

    @property
    def task_ids(self) -> list[str]:
        """Ids of the tasks that it predicts, in the order of the columns of a prediction."""
        return self.trained.task_ids

    @property
    def members(self) -> "Sequence[Model]":
        """The model alone, as an ensemble has several."""
        return (self,)

    @property
    def tasks(self) -> dict[str, Task]:
        """Task id -> the task."""
        return {task.task_id: task for task in self.trained.record.tasks}

    @property
    def names(self) -> dict[str, str]:
        """Task id -> name of the task, as its source writes it."""
        return {name: task.name for name, task in self.tasks.items()}

    @property
    def units(self) -> dict[str, str]:
        """Task id -> unit of what is predicted, of tasks that have one."""
        return {name: task.unit for name, task in self.tasks.items() if task.unit}

    def columns(self, wanted: Wanted = ALL, names: Mapping[str, str] | None = None) -> list[str]:
        """Return the columns of a prediction: the same whatever is wanted, as only an ensemble says more.

        Args:
            wanted: as of an ensemble.
            names: task id -> what stands for the id, such as `Model.names`; default: the id.
        """
        return [*(task if names is None else names[task] for task in self.task_ids), REASON]

    def caveats(self, wanted: Wanted = ALL) -> list[str]:
        """Return sentences for people about what a prediction does not say."""
        return [
            f"{self.trained.folder} is one model and no ensemble: it has no spread, no calibrated "
            "probability, no interval and no domain; what relatask train makes has them."
        ]

    @property
    def column(self) -> str:
        """The column of items that a plain list is: `smiles`, `text`; empty where a list says too little."""
        return column_of(self.trained)

    def predict(
        self,
        items: Sequence[str] | pd.DataFrame | ReadItems,
        known: pd.DataFrame | None = None,
        *,
        wanted: Wanted = ALL,
    ) -> pd.DataFrame:
        """Return what the model says of items, a row for each in their order.

        Args:
            items: SMILES, or texts of a model that reads texts; or a table with the columns that the model's
                input is made from, such as `smiles` or `text`, and if wanted `item_id`; or what `as_items`
                made of either. Of a forecaster, values of all series at successive points.
            known: results that are known of the items, a row for each and a column for each such task, NaN
                where unknown. Methods that read known labels use them. Of few-shot learning, the class of
                each image that shows a class, NaN for those to be classified.
            wanted: what an ensemble would say besides; one model says nothing of it, see `caveats`.

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
        labels = self.known_labels(known, len(reasons))
        usable = np.flatnonzero([reason is None for reason in reasons])
        values = labels.numpy().copy()
        values[usable] = self._values(NewItems(table), labels[torch.from_numpy(usable)])
        frame = self._named(values)
        frame[REASON] = pd.Series(reasons, dtype=object)
        if isinstance(items, pd.DataFrame):
            frame.index = items.index
        return frame

    def answers(self, items: NewItems, labels: Tensor) -> pd.DataFrame:
        """Return what the model says of n items that it can read: a column for each task, as `predict`.

        Args:
            items: as `as_items` returns them.
            labels: float32 [n, T], those that are known, NaN where not.
        """
        return self._named(self._values(items, labels))

    def _values(self, items: NewItems, labels: Tensor) -> np.ndarray:
        """Return what is known of items or else predicted, float32 [n, T]."""
        given = labels.numpy()
        if not len(items):
            return given
        scores = self.trained.scores_of_new(items, labels).cpu().numpy()
        scores = np.where(self._of_other_levels(items.table), np.nan, scores)
        return np.where(np.isnan(given), scores, given)

    def _named(self, values: np.ndarray) -> pd.DataFrame:
        """Return values [n, T] under the names of tasks, classes by theirs."""
        frame = pd.DataFrame(values, columns=self.task_ids)
        for task in self.trained.record.tasks:
            if task.kind == "class":
                places = frame[task.task_id]
                names = [None if np.isnan(place) else task.classes[int(place)] for place in places]
                frame[task.task_id] = pd.Series(names, dtype=object)
        return frame

    def _of_other_levels(self, table: pd.DataFrame) -> np.ndarray:
        """Return which cells [n, T] are of a task of another level than the item's, if tasks differ."""
        levels = np.array([task.level for task in self.trained.record.tasks], object)
        if len({*levels}) < 2 or "level" not in table:
            return np.zeros((len(table), len(levels)), bool)
        found: np.ndarray = table["level"].astype(object).to_numpy()[:, None] != levels
        return found

    def known_labels(self, known: pd.DataFrame | None, n_items: int) -> Tensor:
        """Return labels float32 [n, T] that are known of items, NaN where not.

        Raises:
            RelataskError: `known` has another number of rows, or names a task that the model lacks.
        """
        labels = torch.full((n_items, len(self.task_ids)), torch.nan)
        if known is None:
            return labels
        require_known(known, n_items, self.task_ids)
        for name in known.columns:
            column = self.task_ids.index(name)
            classes = self.trained.record.tasks[column].classes
            values = known[name]
            if classes:
                values = values.map({text: place for place, text in enumerate(classes)})
            numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float32)
            labels[:, column] = torch.from_numpy(numbers)
        return labels

    def _forecast(self, items: Sequence[str] | pd.DataFrame | ReadItems) -> pd.DataFrame:
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


def require_known(known: pd.DataFrame, n_items: int, tasks: Sequence[str]) -> None:
    """Refuse known results that are not of as many items, or of another task than a model predicts.

    Raises:
        RelataskError: they are.
    """
    _require_rows(known, n_items)
    for name in known.columns:
        if name not in tasks:
            raise RelataskError(f"known: the model has no task {name!r}.{suggest(str(name), list(tasks))}")


def _require_rows(known: pd.DataFrame, n_items: int) -> None:
    if len(known) != n_items:
        raise RelataskError(f"known has {len(known)} rows for {n_items} items; give one for each, in order.")
