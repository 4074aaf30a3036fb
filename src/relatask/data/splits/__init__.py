"""Splits: which items, or which labels, are for training, validation and test.

Each scheme is a file of this folder with a literal ``SCHEME = {...}`` and a function
``split(items, labels, seed, fractions, **options)`` that returns table "split". Every scheme that draws,
draws from the seed, so that the spread over seeds is a spread over splits as well.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file, record_of, scheme_records
from relatask.data.tasks import task_positions

FOLDS = ("train", "valid", "test")
HIDDEN = "hidden"  # a fold that training and prediction never read
ROWS = 1_000_000  # at a time where a step needs much memory for each
Fractions = tuple[float, float, float]


def split_items(
    items: pd.DataFrame,
    labels: pd.DataFrame,
    scheme: str,
    seed: int,
    fractions: Fractions,
    options: dict[str, Any] | None = None,
    given: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Assign every item, or every label, to one fold.

    Only items that are no part of another are split. A node or a pair of nodes is in the fold of its graph:
    what is learned of a graph would tell of its parts.

    Args:
        items: item_id and the columns that the scheme reads; their order does not matter.
        labels: item_id, task_id, value; their order does not matter.
        scheme: a file of this folder.
        seed: of all draws.
        fractions: of train, valid and test.
        options: of the scheme.
        given: what the scheme `reads` besides.

    Returns:
        Table "split", sorted by item and task. Its attribute `attrs["facts"]` is what the scheme says of it.

    Raises:
        RelataskError: the scheme is unknown or cannot split these items, or a fold would be empty.
    """
    record = record_of(scheme_records(), scheme, "split scheme")
    items = items.sort_values("item_id", kind="stable", ignore_index=True)
    chosen = {**{key: default for key, (default, _) in record.options.items()}, **(options or {})}
    is_part = items["parent"].notna() if "parent" in items else pd.Series(False, items.index)
    whole = items[~is_part].reset_index(drop=True)
    own_labels = labels[labels["item_id"].isin(whole["item_id"])] if is_part.any() else labels
    read = {name: (given or {})[name] for name in record.reads}
    table: pd.DataFrame = load_file(record).split(whole, own_labels, seed, fractions, **chosen, **read)
    if is_part.any():
        table = with_facts(_with_parts(table, items[is_part], scheme), **table.attrs.get("facts", {}))
    present = set(table["fold"].unique())
    if empty := [name for name in FOLDS if name not in present]:
        raise RelataskError(
            f"the scheme {scheme} leaves the fold {empty[0]!r} empty with {len(items)} items; give more or "
            "other fractions."
        )
    return table


def _with_parts(table: pd.DataFrame, parts: pd.DataFrame, scheme: str) -> pd.DataFrame:
    """Return a table "split" with a row for each part of an item, in the fold of that item.

    Raises:
        RelataskError: the scheme splits labels and not items, or an item that a part lies in is missing.
    """
    if table["task_id"].notna().any():
        raise RelataskError(
            f"splits.schemes: {scheme} splits labels, but items of this data set are parts of others, "
            "such as nodes of graphs, and must stay together; use another scheme."
        )
    fold_of = table.set_index("item_id")["fold"]
    place = fold_of.index.get_indexer(pd.Index(parts["parent"].astype("int64")))
    if (place < 0).any():
        first = parts.iloc[int(np.argmax(place < 0))]
        raise RelataskError(
            f"the item {first['item_id']} is part of {first['parent']}, which is no item or itself a part."
        )
    added = pd.DataFrame(
        {"item_id": parts["item_id"].to_numpy(), "task_id": None, "fold": fold_of.iloc[place].to_numpy()}
    )
    added["fold"] = pd.Categorical(added["fold"], categories=table["fold"].cat.categories)
    return pd.concat([table, added]).sort_values("item_id", kind="stable", ignore_index=True)


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


def with_facts(table: pd.DataFrame, **facts: Any) -> pd.DataFrame:
    """Return table "split" with what its record says besides counts, e.g. where the cut of time lies."""
    table.attrs["facts"] = facts
    return table


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


def task_codes(task_ids: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return the position of each row's task among the names that occur, int32 [N], and the names, sorted.

    -1 stands for no task. Categories that no row has, and their order, change nothing.
    """
    column = pd.Categorical(task_ids)
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.categories))
    names = pd.Index(sorted(column.categories[counts > 0]), dtype=object)
    return task_positions(column, names), names


def order_of(items: np.ndarray, tasks: np.ndarray) -> np.ndarray:
    """Return the order of rows by item and then task, int64 [N]; rows of whole items have task -1."""
    return np.argsort(_keys(items, tasks, int(tasks.max(initial=-1)) + 2), kind="stable")


def _keys(items: np.ndarray, tasks: np.ndarray | int, width: int) -> np.ndarray:
    """Return a number for each pair of an item and a task, int64 [N], rising with item and task."""
    return items.astype(np.int64) * width + tasks + 1


def cell_table(items: np.ndarray, tasks: np.ndarray, names: pd.Index, fold: np.ndarray) -> pd.DataFrame:
    """Return table "split" of labels, sorted by item and task.

    Args:
        items: int [N], item_id.
        tasks: int32 [N], positions in `names`; -1 for a row that holds for all labels of its item.
        names: of tasks, sorted.
        fold: int [N], positions in FOLDS; one more for hidden.
    """
    order = order_of(items, tasks)
    return pd.DataFrame(
        {
            "item_id": items[order],
            "task_id": pd.Categorical.from_codes(tasks[order], names),
            "fold": pd.Categorical.from_codes(fold[order], pd.Index([*FOLDS, HIDDEN])),
        }
    )


def split_digest(split: pd.DataFrame) -> str:
    """SHA-256 (hex) of the lines "item_id fold", or of cells "item_id task_id fold", sorted by item and task.

    Two equal splits have equal digests.
    """
    tasks, names = task_codes(split["task_id"])
    fold = pd.Categorical(split["fold"])
    of_task = ["", *(f" {task}" for task in names)]
    ends = pa.array([f"{task} {name}" for task in of_task for name in fold.categories], pa.string())
    end_of = (tasks + 1) * len(fold.categories) + fold.codes
    items = split["item_id"].to_numpy()
    order = order_of(items, tasks)
    digest = hashlib.sha256()
    for start in range(0, len(order), ROWS):
        rows = order[start : start + ROWS]
        texts = pa.array(items[rows]).cast(pa.string())
        lines = pc.binary_join_element_wise(texts, ends.take(pa.array(end_of[rows])), "")
        text = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "\n")[0].as_py()
        digest.update(f"\n{text}".encode() if start else text.encode())
    if (tasks < 0).any():
        digest.update(b"\n")  # published digests of items have it, those of cells do not
    return digest.hexdigest()


def describe_split(split: pd.DataFrame, labels: pd.DataFrame) -> dict[str, Any]:
    """Count items, labels and tasks with both classes per fold, and give the digest.

    Where cells are split, items of a fold are those with a label in it, and those that have none in training
    are counted too.
    """
    items, fold = labels["item_id"].to_numpy(), folds_of_labels(split, labels)
    tasks, names = task_codes(labels["task_id"])
    active = labels["value"].to_numpy() > 0.5
    of_cells = bool(split["task_id"].notna().any())
    known = np.unique(items[fold == 0])
    counts = {}
    for place, name in enumerate(FOLDS):
        own = fold == place
        positives, negatives = (
            np.bincount(tasks[own & chosen], minlength=len(names)) for chosen in (active, ~active)
        )
        there = np.unique(items[own])
        counts[name] = {
            "items": len(there) if of_cells else int((split["fold"] == name).sum()),
            "labels": int(own.sum()),
            "tasks_with_both_classes": int(((positives > 0) & (negatives > 0)).sum()),
        }
        if of_cells:
            counts[name]["items_without_a_training_label"] = len(np.setdiff1d(there, known))
    described = {"folds": counts, "tasks": len(names), "digest": split_digest(split)}
    if facts := split.attrs.get("facts"):
        described["facts"] = facts
    if hidden := int(((split["fold"] == HIDDEN) & split["task_id"].isna()).sum()):
        described["hidden_items"] = hidden
    return described


def folds_of_labels(split: pd.DataFrame, labels: pd.DataFrame) -> np.ndarray:
    """Return the fold of each label, int8 [N]: of its cell where the split names it, else of its item.

    It is a position in FOLDS; one more for a hidden label, -1 for one that the split does not name.
    """
    folds = pd.Categorical(split["fold"])
    fold = pd.Index([*FOLDS, HIDDEN]).get_indexer(folds.categories).astype(np.int8)[folds.codes]
    tasks, names = task_codes(split["task_id"])
    width = len(names) + 1
    keys = _keys(split["item_id"].to_numpy(), tasks, width)
    if (np.diff(keys) < 0).any():
        order = np.argsort(keys)
        keys, fold = keys[order], fold[order]
    items, of_labels = labels["item_id"].to_numpy(), task_positions(labels["task_id"], names)
    found = np.empty(len(labels), np.int8)
    for start in range(0, len(labels), ROWS):
        rows = slice(start, start + ROWS)
        of_cell = _looked_up(keys, fold, _keys(items[rows], of_labels[rows], width))
        of_item = _looked_up(keys, fold, _keys(items[rows], -1, width))
        found[rows] = np.where(of_cell >= 0, of_cell, of_item)
    return found


def _looked_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the value of each wanted key, int8 [N], -1 where there is none; `keys` rise."""
    if not len(keys):
        return np.full(len(wanted), -1, np.int8)
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], -1).astype(np.int8)
