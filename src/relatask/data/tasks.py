"""The tasks of a data set as its table holds them: what is predicted, of which items, in which unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relatask.core.errors import RelataskError
from relatask.core.kinds import KINDS, LEADING_METRIC, Kind
from relatask.core.layout import in_dataset
from relatask.core.records import suggest
from relatask.core.tables import read_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_NAMED = 5  # tasks that a message names of those that were left out for one reason


@dataclass(frozen=True)
class Task:
    """One task."""

    task_id: str
    name: str
    level: str = "molecule"  # of the items that have its labels
    kind: Kind = "binary"
    unit: str | None = None
    n_classes: int | None = None  # of a task of kind class
    metric: str = "roc_auc"  # that leads its tables
    classes: tuple[str, ...] = ()  # names of its classes; the label of an item is a position in it
    transform: str | None = None  # what was done to its values before they were stored


def plain_tasks(task_ids: Sequence[str], kind: Kind = "binary") -> tuple[Task, ...]:
    """Return tasks of one kind that are named by their ids."""
    return tuple(Task(task, task, kind=kind, metric=LEADING_METRIC[kind]) for task in task_ids)


def read_tasks(folder: Path, tasks: Sequence[str] | None = None) -> tuple[Task, ...]:
    """Return the tasks of a data set's folder, all or those whose ids are in `tasks`, in its order.

    Raises:
        RelataskError: a task is unknown or of an unknown kind, none is chosen, or classes are not numbered
            from 0.
    """
    path = folder / in_dataset("tasks")
    columns = ["task_id", "name", "level", "kind", "unit", "transform", "n_classes", "metric"]
    rows = read_table("tasks", path, columns).to_dict("records")
    known = [row["task_id"] for row in rows]
    wanted = set(known if tasks is None else tasks)
    if unknown := sorted(wanted - set(known)):
        raise RelataskError(f"{path} has no task {unknown[0]!r}.{suggest(unknown[0], known)}")
    if not wanted and tasks is not None:
        raise RelataskError(f"{path}: no task was chosen; name at least one, or none to take all.")
    classes = _read_classes(folder) if any(row["kind"] == "class" for row in rows) else {}
    return tuple(_task(row, classes, path) for row in rows if row["task_id"] in wanted)


def _task(row: dict[Any, Any], classes: dict[str, tuple[str, ...]], path: Path) -> Task:
    if row["kind"] not in KINDS:
        raise RelataskError(
            f"{path}: task {row['task_id']!r} is of the kind {row['kind']!r}.{suggest(row['kind'], KINDS)}"
        )
    names = classes.get(row["task_id"], ())
    n_classes = int(row["n_classes"]) if row["kind"] == "class" else None
    if n_classes is not None and len(names) != n_classes:
        raise RelataskError(
            f"{path}: task {row['task_id']!r} has {n_classes} classes, but classes.parquet beside it names "
            f"{len(names)}; run the workflow again."
        )
    known = {key: row[key] for key in ("unit", "transform") if isinstance(row[key], str)}
    texts = {key: row[key] for key in ("task_id", "name", "level", "kind", "metric")}
    return Task(**texts, **known, n_classes=n_classes, classes=names)


def _read_classes(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return task id -> names of its classes, in the order of their values."""
    path = folder / in_dataset("classes")
    frame = read_table("classes", path).sort_values(["task_id", "value"], kind="stable")
    found = {}
    for task, own in frame.groupby("task_id", sort=False):
        if own["value"].tolist() != list(range(len(own))):
            raise RelataskError(
                f"{path}: the classes of {task!r} are not numbered 0, 1, ...; prepare it anew."
            )
        found[str(task)] = tuple(own["name"])
    return found


def task_positions(task_ids: "Any", names: "Sequence[str] | pd.Index") -> "np.ndarray":
    """Return the position of each row's task in `names`, int32 [N], -1 where it is not there.

    Names are compared once for each category, and not for each row.
    """
    import numpy as np
    import pandas as pd

    column = pd.Categorical(task_ids)
    places = pd.Index(names, dtype=object).get_indexer(column.categories)
    return np.append(places, -1).astype(np.int32)[column.codes]  # the last one is for the code -1, no task


def completed_tasks(tasks: "pd.DataFrame", level: str) -> "pd.DataFrame":
    """Return a table of tasks, name and whatever else is known, with the columns that every task has.

    Args:
        tasks: `name`, and any of the other columns of table "tasks" but the counts.
        level: of the items, where the table does not say it.

    Returns:
        The table with all columns of table "tasks" but `task_id` and the counts.
    """
    tasks = tasks.copy()
    if "kind" not in tasks:
        tasks["kind"] = "binary"
    defaults: dict[str, Any] = {"source_id": None, "level": level, "unit": None, "transform": None}
    for column, value in defaults.items():
        if column not in tasks:
            tasks[column] = value
    if "n_classes" not in tasks:
        tasks["n_classes"] = None
    tasks["n_classes"] = tasks["n_classes"].astype("Int32")
    leading = tasks["kind"].map(dict(LEADING_METRIC.items()))
    tasks["metric"] = tasks["metric"].fillna(leading) if "metric" in tasks else leading
    for column in ("uniprots", "string_ids"):
        if column not in tasks:
            tasks[column] = [[] for _ in range(len(tasks))]
    return tasks


def with_counts(tasks: "pd.DataFrame", column: "Any", values: "Any") -> "pd.DataFrame":
    """Return `tasks` with n_labels, n_pos and n_neg counted on given labels.

    Args:
        tasks: T tasks with their kind.
        column: int [N], position of each label's task.
        values: float [N].
    """
    import numpy as np

    total = np.bincount(column, minlength=len(tasks)).astype(np.int32)
    ones = np.bincount(column[values == 1], minlength=len(tasks)).astype(np.int32)
    binary = (tasks["kind"] == "binary").to_numpy()
    return tasks.assign(
        n_labels=total, n_pos=np.where(binary, ones, 0), n_neg=np.where(binary, total - ones, 0)
    )


def left_out_said(rejected: "pd.DataFrame") -> str:
    """Return which tasks were left out and why, e.g. "3 tasks are left out: A, B (no negative label), ...".

    Args:
        rejected: table "rejected_tasks"; of each reason the first tasks are named.
    """
    parts = []
    for reason, own in rejected.groupby("reason", sort=True):
        named = own["task_id"].tolist()
        more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
        parts.append(f"{', '.join(named[:_NAMED])}{more} ({reason})")
    are = "task is" if len(rejected) == 1 else "tasks are"
    return f"{len(rejected):,} {are} left out: {'; '.join(parts)}"
