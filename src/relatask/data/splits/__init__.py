"""Splits: which items, or which labels, are for training, validation and test.

Each scheme is a file of this folder with a literal ``SCHEME = {...}`` and a function
``split(items, labels, seed, fractions, **options)`` that returns table "split". Every scheme that draws,
draws from the seed, so that the spread over seeds is a spread over splits as well.
"""

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file, record_of, scheme_records

FOLDS = ("train", "valid", "test")
HIDDEN = "hidden"  # a fold that training and prediction never read
Fractions = tuple[float, float, float]


def split_items(
    items: pd.DataFrame,
    labels: pd.DataFrame,
    scheme: str,
    seed: int,
    fractions: Fractions,
    options: dict[str, Any] | None = None,
) -> pd.DataFrame:
    """Assign every item, or every label, to one fold.

    Args:
        items: item_id and the columns that the scheme reads; their order does not matter.
        labels: item_id, task_id, value; their order does not matter.
        scheme: a file of this folder.
        seed: of all draws.
        fractions: of train, valid and test.
        options: of the scheme.

    Returns:
        Table "split", sorted by item and task.

    Raises:
        RelataskError: the scheme is unknown or cannot split these items, or a fold would be empty.
    """
    record = record_of(scheme_records(), scheme, "split scheme")
    items = items.sort_values("item_id", kind="stable", ignore_index=True)
    chosen = {**{key: default for key, (default, _) in record.options.items()}, **(options or {})}
    table: pd.DataFrame = load_file(record).split(items, labels, seed, fractions, **chosen)
    present = set(table["fold"].unique())
    if empty := [name for name in FOLDS if name not in present]:
        raise RelataskError(
            f"the scheme {scheme} leaves the fold {empty[0]!r} empty with {len(items)} items; give more or "
            "other fractions."
        )
    return table


def whole_items(items: pd.DataFrame, fold: np.ndarray) -> pd.DataFrame:
    """Return table "split" of items: `fold` holds the place of each in FOLDS, -1 for hidden."""
    names = pd.Index([*FOLDS, HIDDEN])
    codes = np.where(np.asarray(fold) < 0, len(FOLDS), fold)
    return pd.DataFrame(
        {
            "item_id": items["item_id"].to_numpy(),
            "task_id": None,
            "fold": pd.Categorical.from_codes(codes, names),
        }
    )


def column_of(items: pd.DataFrame, name: str, scheme: str) -> pd.Series:
    """Return a column of the items that a scheme reads.

    Raises:
        RelataskError: the items have none of this name.
    """
    if not name:
        raise RelataskError(f"splits.column: the scheme {scheme} needs the name of a column of the items.")
    if name not in items.columns:
        raise RelataskError(
            f"splits.schemes: {scheme} reads the column {name!r} of the items, which their source does not "
            "give; use another scheme."
        )
    return items[name]


def fold_sizes(n: int, fractions: Fractions) -> np.ndarray:
    """Return int64 [3]: sizes of train, valid and test for `n` items."""
    valid, test = (int(fraction * n + 1e-9) for fraction in fractions[1:])  # 0.29 * 100 is 28.999...
    if min(valid, test, n - valid - test) < 1:
        raise RelataskError(
            f"{n} items are too few for folds of {fractions}: each fold needs one; "
            "give more items or larger fractions."
        )
    return np.array([n - valid - test, valid, test])


def split_digest(split: pd.DataFrame) -> str:
    """SHA-256 (hex) of the lines "item_id fold", or of cells "item_id task_id fold", sorted by item and task.

    Two equal splits have equal digests.
    """
    whole = split["task_id"].isna().to_numpy()
    texts = split.assign(task_id=split["task_id"].astype(object).where(~whole, ""))
    texts = texts.sort_values(["item_id", "task_id"], kind="stable")
    rows = zip(texts["item_id"], texts["task_id"], texts["fold"], strict=True)
    text = "\n".join(f"{item} {task} {fold}" if task else f"{item} {fold}" for item, task, fold in rows)
    end = "\n" if whole.any() else ""  # published digests of items have it, those of cells do not
    return hashlib.sha256(f"{text}{end}".encode()).hexdigest()


def describe_split(split: pd.DataFrame, labels: pd.DataFrame) -> dict[str, Any]:
    """Count items, labels and tasks with both classes per fold, and give the digest.

    Where cells are split, items of a fold are those with a label in it, and those that have none in training
    are counted too.
    """
    cells = labels.assign(fold=folds_of_labels(split, labels))
    of_cells = bool(split["task_id"].notna().any())
    known = set(cells.loc[cells["fold"] == FOLDS[0], "item_id"])
    counts = {}
    for name in FOLDS:
        own = cells[cells["fold"] == name]
        values = own.groupby("task_id", observed=True)["value"]
        items = own["item_id"].nunique() if of_cells else (split["fold"] == name).sum()
        counts[name] = {
            "items": int(items),
            "labels": len(own),
            "tasks_with_both_classes": int(((values.min() <= 0.5) & (values.max() > 0.5)).sum()),
        }
        if of_cells:
            counts[name]["items_without_a_training_label"] = len(set(own["item_id"]) - known)
    return {"folds": counts, "tasks": int(labels["task_id"].nunique()), "digest": split_digest(split)}


def folds_of_labels(split: pd.DataFrame, labels: pd.DataFrame) -> np.ndarray:
    """Return the fold of each label, objects [N]: of its cell where the split names it, else of its item.

    None for a label that the split does not name.
    """
    whole = split["task_id"].isna().to_numpy()
    of_item = pd.Series(split["fold"].to_numpy(object)[whole], index=split["item_id"].to_numpy()[whole])
    fold = of_item.reindex(labels["item_id"].to_numpy()).to_numpy(object)
    if not whole.all():
        tasks = pd.Index(sorted(set(labels["task_id"])))
        named = split[~whole]
        of_row, of_label = (
            tasks.get_indexer(pd.Index(frame["task_id"].astype(object))) for frame in (named, labels)
        )
        inside = of_row >= 0
        keys = named["item_id"].to_numpy(np.int64) * len(tasks) + of_row
        wanted = labels["item_id"].to_numpy(np.int64) * len(tasks) + of_label
        place = pd.Index(keys[inside]).get_indexer(wanted)
        fold = np.where(place >= 0, named["fold"].to_numpy(object)[inside][place], fold)
    return fold
