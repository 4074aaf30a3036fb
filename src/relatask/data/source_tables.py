"""What a source gives: items, tasks and labels, and what was left out, as tables that are complete."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.columns.data import DATA
from relatask.core.errors import RelataskError
from relatask.core.kinds import BOUNDS
from relatask.core.layout import SOURCE_FILES, SOURCE_TABLES
from relatask.core.tables import write_table
from relatask.data.task_ids import task_ids
from relatask.data.tasks import completed_tasks, with_counts

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceContext:
    """What a source is prepared with besides its block."""

    name: str  # its key in the study, for messages
    raw: Path | None = None  # folder of its raw files
    columns: tuple[str, ...] = ()  # columns of the user's own that the items must keep
    schemes: tuple[str, ...] = ()  # of splits; empty where the source's record has no `reads_splits`
    fractions: tuple[float, float, float] | None = None  # of the folds; None likewise
    task_sheet: bool = True  # whether a sheet of proteins beside the raw files is read


@dataclass
class SourceTables:
    """The tables of one source, ready to be written, and what was counted on the way."""

    items: pd.DataFrame
    rejected: pd.DataFrame
    tasks: pd.DataFrame
    labels: pd.DataFrame
    classes: pd.DataFrame
    counts: dict[str, Any] = field(default_factory=dict)
    rows: pd.DataFrame = field(default_factory=lambda: empty_table("rows"))  # empty: no file has its rows

    def write(self, folder: Path) -> None:
        """Write all tables to a folder."""
        for name in (*SOURCE_TABLES, "rows"):
            write_table(name, getattr(self, name), folder / SOURCE_FILES[name])


def log_counts(name: str, items: str, counts: Mapping[str, Any]) -> None:
    """Say how many rows of a source became items, and why others did not.

    Args:
        name: of the source.
        items: what they are called, e.g. molecules.
        counts: of the source's counts.json.
    """
    log.info(
        "%s: %d rows -> %d %s (%d rejected, %d duplicates merged), %d labels in %d tasks, "
        "%d conflicting cells made missing.",
        name,
        counts["rows"],
        counts["items"],
        items,
        sum(counts["rejected"].values()),
        counts["duplicates_merged"],
        counts["labels"]["out"],
        counts["tasks"],
        counts["labels"]["conflicting_cells"],
    )
    for reason, count in counts["rejected"].items():
        log.info("  rejected: %d x %s", count, reason)


def table_of_rows(source_ids: Sequence[Any], item_of_row: np.ndarray) -> pd.DataFrame:
    """Return table "rows": of each row of a source its id, and its item, where `item_of_row` is not -1."""
    items = pd.Series(item_of_row, dtype="Int32")
    return pd.DataFrame(
        {"source_id": pd.Series(list(source_ids), dtype=object), "item_id": items.mask(items < 0)}
    )


def empty_table(name: str) -> pd.DataFrame:
    """Return a table without rows."""
    return pd.DataFrame({column: [] for column in DATA[name]})


def source_tables(
    items: pd.DataFrame,
    tasks: pd.DataFrame,
    labels: pd.DataFrame,
    level: str,
    classes: Mapping[str, Sequence[str]] | None = None,
    counts: Mapping[str, Any] | None = None,
) -> SourceTables:
    """Complete the tables of a source of any kind of item.

    Args:
        items: a row for each item, with any columns of its kind; `level`, `parent` (row of the graph that a
            node or pair lies in) and `source_id` where they are known. Items are numbered by their rows.
        tasks: `name` of each task, and where it is not a binary one its `kind`; `level`, `unit`, `transform`,
            `metric`, `source_id`, `uniprots` and `string_ids` where they are known.
        labels: `item` and `task` (positions in the two tables), `value`, and `bound` where not all are "=".
        level: of items and tasks that do not say theirs.
        classes: name of each task of kind class -> names of its classes; a label is a position in it.
        counts: facts for counts.json.

    Raises:
        RelataskError: a task of kind class has no classes, or a label is none of them.
    """
    named = dict(classes or {})
    ids = task_ids(tasks["name"])
    described = completed_tasks(tasks.assign(task_id=ids), level)
    of_class = (described["kind"] == "class").to_numpy()
    if missing := [name for name in described["name"][of_class] if name not in named]:
        raise RelataskError(f"the task {missing[0]!r} is of kind class, but its classes have no names.")
    sizes = [len(named[name]) if of else None for name, of in zip(tasks["name"], of_class, strict=True)]
    described["n_classes"] = pd.array(sizes, dtype="Int32")
    labels = labels.sort_values(["item", "task"], kind="stable", ignore_index=True)
    column, values = labels["task"].to_numpy(np.int64), labels["value"].to_numpy(np.float64)
    _check_values(described, column, values)
    bounds = labels["bound"] if "bound" in labels else pd.Series("=", labels.index)
    rows = [(task, number, name) for task, own in zip(ids, tasks["name"], strict=True)
            for number, name in enumerate(named.get(own, ()))]  # fmt: skip
    return SourceTables(
        items=completed_items(items, level),
        rejected=empty_table("rejected"),
        tasks=with_counts(described, column, values),
        labels=pd.DataFrame(
            {
                "item_id": labels["item"].to_numpy(np.int32),
                "task_id": pd.Categorical.from_codes(column, pd.Index(ids)),
                "value": values.astype(np.float32),
                "bound": pd.Categorical(bounds, categories=[*BOUNDS]).remove_unused_categories(),
            }
        ),
        classes=pd.DataFrame(rows, columns=list(DATA["classes"])) if rows else empty_table("classes"),
        counts=dict(counts or {}),
    )


def completed_items(items: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return items with the columns that every item has, first, and numbered by their rows."""
    items = items.reset_index(drop=True)
    missing = pd.Series(pd.NA, items.index, dtype="Int32")
    own = {
        "item_id": np.arange(len(items), dtype=np.int32),
        "source_id": items.get("source_id"),
        "level": pd.Categorical(items.get("level", [level] * len(items))),
        "parent": items["parent"].astype("Int32") if "parent" in items else missing,
    }
    further = {name: items[name] for name in items.columns if name not in own}
    return pd.DataFrame({**own, **further}, index=items.index)


def _check_values(tasks: pd.DataFrame, column: np.ndarray, values: np.ndarray) -> None:
    """Refuse labels that are not of their task's kind, naming the first."""
    binary, of_class = ((tasks["kind"] == kind).to_numpy()[column] for kind in ("binary", "class"))
    most = tasks["n_classes"].fillna(0).to_numpy(np.int64)[column]
    fits = np.where(binary, np.isin(values, (0.0, 1.0)), np.isfinite(values))
    fits &= ~of_class | ((values == np.floor(values)) & (values >= 0) & (values < most))
    if not fits.all():
        place = int(np.argmax(~fits))
        task = tasks.iloc[column[place]]
        raise RelataskError(
            f"the task {task['name']!r} is of kind {task['kind']}, but a label is {values[place]:g}."
        )
