"""What a trained model says of new items, as a table for people."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import suggest
from relatask.models.items import featurised
from relatask.models.trained_model import TrainedModel

REASON = "reason"  # column that says why an item has no prediction


def predict(
    model: TrainedModel, items: Sequence[str] | pd.DataFrame, known: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return what a model says of items, a row for each in their order.

    Args:
        model: from `relatask.load`.
        items: SMILES; or a table of items with what the model's inputs are made from (of molecules a column
            `smiles`) and, if wanted, `item_id`.
        known: results that are known of the items, a row for each and a column for each such task, NaN where
            unknown. Methods that read known labels use them, others do not.

    Returns:
        A column for each task: the probability of label 1, a value in the task's unit, or the name of a class;
        missing where an item cannot be predicted, and then the column `reason` says why.

    Raises:
        RelataskError: the items are of another kind, or `known` names a task that the model lacks.
    """
    n_items = len(items)
    table = featurised(items, model)
    usable = np.flatnonzero([reason is None for reason in table.reasons])
    labels = _known_labels(model, known, n_items)[torch.from_numpy(usable)]
    scores = np.full((n_items, len(model.task_ids)), np.nan, np.float32)
    if len(usable):
        scores[usable] = model.scores_of_new(table.item_ids, table.arrays, labels).cpu().numpy()
    frame = pd.DataFrame(scores, columns=model.task_ids)
    for task in model.record.tasks:
        if task.kind == "class":
            frame[task.task_id] = [
                None if np.isnan(value) else task.classes[int(value)] for value in frame[task.task_id]
            ]
    frame[REASON] = pd.Series(table.reasons, dtype=object)
    if isinstance(items, pd.DataFrame):
        frame.index = items.index
    return frame


def _known_labels(model: TrainedModel, known: pd.DataFrame | None, n_items: int) -> Tensor:
    """Return labels float32 [n, T] that are known of items, NaN where not."""
    labels = torch.full((n_items, len(model.task_ids)), torch.nan)
    if known is None:
        return labels
    if len(known) != n_items:
        raise RelataskError(f"known has {len(known)} rows for {n_items} items; give one for each, in order.")
    for task in known.columns:
        if task not in model.task_ids:
            raise RelataskError(f"known: the model has no task {task!r}.{suggest(str(task), model.task_ids)}")
        values = pd.to_numeric(known[task], errors="coerce").to_numpy(np.float32)
        labels[:, model.task_ids.index(task)] = torch.from_numpy(values)
    return labels
