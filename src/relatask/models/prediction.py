"""What a trained model says of new items, as a table for people."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.core.registry import loop_of
from relatask.models.loading import load_model
from relatask.models.trained_model import TrainedModel

REASON = "reason"  # column that says why an item has no prediction


def load(path: str | Path, device: str = "cpu") -> "Model":
    """Load a trained model: the folder `model` of a run, or that of a run in results/STUDY/runs.

    Raises:
        RelataskError: there is no model, it is damaged, or this version of relatask cannot use it.
    """
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

    def predict(self, items: Sequence[str] | pd.DataFrame, known: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return what the model says of items, a row for each in their order.

        Args:
            items: SMILES; or a table with the columns that the model's input is made from, such as `smiles`,
                and if wanted `item_id`. Of a forecaster, values of all series at successive points.
            known: results that are known of the items, a row for each and a column for each such task, NaN
                where unknown. Methods that read known labels use them. Of few-shot learning, the class of
                each image that shows a class, NaN for those to be classified.

        Returns:
            A column for each task: the probability of label 1, a value in the task's unit, or the name of a
            class; a known result stays as it is. Where an item cannot be predicted its row is empty and the
            column `reason` says why. A forecaster returns the points that follow, a row for each.

        Raises:
            RelataskError: the items are of another kind, or `known` names a task that the model lacks.
        """
        if self.loop.forecasts:
            return self._forecast(items)
        table, reasons = _as_items(items, self.trained)
        if self.loop.episodes:
            return self._classify(table, known)
        usable = np.flatnonzero([reason is None for reason in reasons])
        labels = self._known_labels(known, len(reasons))
        scores = np.full(labels.shape, np.nan, np.float32)
        if len(usable):
            found = self.trained.scores_of_new(table, labels[torch.from_numpy(usable)])
            scores[usable] = found.cpu().numpy()
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
        scale = record.scaling or {"mean": {}, "std": {}}
        series = list(scale["mean"])
        if lost := [name for name in series if name not in items]:
            raise RelataskError(f"the table lacks the series {lost[0]!r}; the model reads {len(series)}.")
        mean = np.array([scale["mean"][name] for name in series])
        std = np.array([scale["std"][name] for name in series])
        values = (items[series].to_numpy(np.float64) - mean) / std
        window = record.spec.required_encoder().options["window"]
        if len(values) < window:
            raise RelataskError(f"the table has {len(values)} points, the model reads {window}; give more.")
        points = pd.DataFrame({"item_id": np.arange(len(values)), "values": list(values.astype(np.float32))})
        found = self.trained.forecast(points, record.spec.method.options["horizon"]).cpu().numpy()
        own = [series.index(task) for task in self.task_ids]
        return pd.DataFrame(found * std[own] + mean[own], columns=self.task_ids)

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


def _require_rows(known: pd.DataFrame, n_items: int) -> None:
    if len(known) != n_items:
        raise RelataskError(f"known has {len(known)} rows for {n_items} items; give one for each, in order.")


def _as_items(
    items: Sequence[str] | pd.DataFrame, model: TrainedModel
) -> tuple[pd.DataFrame, list[str | None]]:
    """Return a table of those items that can be predicted, and for each item why not, or None.

    SMILES are standardised as those of training. An item that the model was trained on has its id there, any
    other one that follows from its content: what a method draws for an item depends on no other item.
    """
    if isinstance(items, pd.DataFrame) and ("smiles" not in items or "item_id" in items):
        table = items.reset_index(drop=True)
        if "item_id" not in table:
            table = table.assign(item_id=np.arange(len(table)))
        return table, [None] * len(table)
    from relatask.data.standardise import Limits, Rejection, standardise

    smiles = items["smiles"] if isinstance(items, pd.DataFrame) else items
    limits = Limits(min_heavy_atoms=1, min_weight=0.0, max_weight=float("inf"))
    found, reasons = [], []
    for text in smiles:
        result = standardise(text if isinstance(text, str) else None, limits)
        reasons.append(str(result) if isinstance(result, Rejection) else None)
        if not isinstance(result, Rejection):
            found.append(result.smiles)
    ids = [_id_of(text) for text in found]
    return pd.DataFrame({"item_id": np.array(ids, np.int64), "smiles": found}), reasons


def _id_of(smiles: str) -> int:
    """Return an id of a molecule, beyond those of any table: 62 bits of a digest of its SMILES."""
    return (int.from_bytes(hashlib.sha256(smiles.encode()).digest()[:8]) >> 2) | 2**40
