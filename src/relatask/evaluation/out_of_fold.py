"""Predictions of items that a model did not train on, one for each item and task."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from relatask.core.kinds import Kind


def out_of_fold(
    predictions: pd.DataFrame,
    training: Mapping[str, np.ndarray],
    kinds: Mapping[str, Kind],
    folds: Mapping[str, str],
    similarity: Mapping[str, pd.Series] | None = None,
) -> pd.DataFrame:
    """Return one prediction out of fold for each item and task.

    An item that several models tested has the mean of what they say, as an ensemble would; of classes the
    one that most of them say, of several the first.

    Args:
        predictions: run_id, item_id, task_id, label and score of the test folds.
        training: run -> item ids that its model trained on; its predictions of these are left out.
        kinds: task id -> kind; predictions of others, such as episodes, are left out.
        folds: run -> name of the fold that it tests.
        similarity: run -> similarity to training by item_id; predictions of items without one are left out.

    Returns:
        item_id, task_id, label, score, similarity (NaN where it is not given) and `fold`, the first by name
        that tested the item: all tasks of an item have the same.
    """
    parts = []
    for run, own in predictions.astype({"run_id": str, "task_id": str}).groupby("run_id"):
        items = own["item_id"].to_numpy()
        kept = own[~np.isin(items, training[str(run)]) & own["task_id"].isin(kinds)]
        near = np.nan if similarity is None else kept["item_id"].map(similarity[str(run)]).to_numpy()
        found = kept.assign(similarity=near, fold=folds[str(run)])
        parts.append(found if similarity is None else found[found["similarity"].notna()])
    columns = ["item_id", "task_id", "label", "score", "similarity", "fold"]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    rows = pd.concat(parts, ignore_index=True)
    cell = ["item_id", "task_id"]
    found = rows.groupby(cell, sort=True, as_index=False).agg(
        label=("label", "first"), score=("score", "mean"), similarity=("similarity", "mean")
    )
    classes = rows[rows["task_id"].map(kinds) == "class"]
    if len(classes):
        votes = classes.groupby([*cell, "score"], as_index=False).size()
        votes = votes.sort_values([*cell, "size", "score"], ascending=[True, True, False, True])
        voted = votes.drop_duplicates(cell).set_index(cell)["score"]
        said = voted.reindex(pd.MultiIndex.from_frame(found[cell])).to_numpy()
        found["score"] = np.where(np.isnan(said), found["score"], said)
    return found.assign(fold=found["item_id"].map(rows.groupby("item_id")["fold"].min()))[columns]
