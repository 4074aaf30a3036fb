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
_SHOWN = 5  # kinds of what was left out that a line of the log names


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
    conflicts: pd.DataFrame
    counts: dict[str, Any] = field(default_factory=dict)
    rows: pd.DataFrame = field(default_factory=lambda: empty_table("rows"))  # empty: no file has its rows

    def write(self, folder: Path) -> None:
        """Write all tables to a folder."""
        for name in (*SOURCE_TABLES, "rows"):
            write_table(name, getattr(self, name), folder / SOURCE_FILES[name])


def log_counts(name: str, items: str, counts: Mapping[str, Any]) -> None:
    """Say in the log what became of the rows and labels of a source; see `counts_said`."""
    for sentence in counts_said(name, items, counts):
        log.info("%s", sentence)
    if counts["labels"]["conflicting"] or counts["labels"]["undecided"]:
        log.info("%s: conflicts.parquet lists the cells whose labels are lost.", name)


def counts_said(name: str, items: str, counts: Mapping[str, Any]) -> list[str]:
    """Return in one or two sentences what became of the rows and labels of a source.

    Args:
        name: of the source.
        items: what they are called, e.g. molecules.
        counts: of the source's counts.json.
    """
    labels, salts = counts["labels"], counts.get("salts", {"rows": 0, "of": {}})
    rows = {
        f"{sum(counts['rejected'].values()):,} rejected": _named(counts["rejected"]),
        f"{counts['duplicates_merged']:,} merged with a row above": "",
        f"{salts['rows']:,} freed of a counter-ion or solvent": _named(salts["of"]),
        f"{counts.get('neutralised', 0):,} neutralised": "",
    }
    lost = {
        f"{labels['of_rejected_rows']:,} of rejected rows": "",
        f"{labels['merged']:,} merged with others of their cell": "",
        f"{labels['conflicting']:,} in conflict": f" in {labels['conflicting_cells']:,} cells",
        f"{labels['undecided']:,} bounds that decide nothing": f" in {labels['undecided_cells']:,} cells",
    }
    said = [
        f"{name}: {counts['rows']:,} rows -> {counts['items']:,} {items}{_bracketed(rows)}; {labels['in']:,} "
        f"labels in the file -> {labels['out']:,} labels in {counts['tasks']:,} tasks{_bracketed(lost)}."
    ]
    if spread := counts.get("replicates"):
        said.append(f"{name}: {replicates_said(spread)}.")
    return said


def _bracketed(facts: Mapping[str, str]) -> str:
    """Return facts in brackets but for those of number 0."""
    said = "; ".join(f"{fact}{more}" for fact, more in facts.items() if not fact.startswith("0 "))
    return f" ({said})" if said else ""


def replicates_said(spread: Mapping[str, Mapping[str, Any]]) -> str:
    """Return how far measurements of one cell lie apart, by task; the five tasks with most such cells."""
    most = sorted(spread.items(), key=lambda one: -one[1]["cells"])
    said = [f"{task} {own['deviation']:.3g} ({own['cells']:,} cells)" for task, own in most[:_SHOWN]]
    more = f", and {len(most) - _SHOWN} more tasks in counts.json" if len(most) > _SHOWN else ""
    return f"standard deviation of measurements of one cell: {', '.join(said)}{more}"


def _named(counts: Mapping[str, int]) -> str:
    """Return e.g. ": 5 x no SMILES, 2 x mixture", the most frequent first."""
    most = sorted(counts.items(), key=lambda one: -one[1])
    more = f" and {len(most) - _SHOWN} more" if len(most) > _SHOWN else ""
    return ": " + ", ".join(f"{count:,} x {what}" for what, count in most[:_SHOWN]) + more if most else ""


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
    lost: pd.DataFrame | None = None,
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
        lost: cells whose labels do not stay, see `data.replicates.Merged`.

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
    rows = [(task, number, name) for task, own in zip(ids, tasks["name"], strict=True)
            for number, name in enumerate(named.get(own, ()))]  # fmt: skip
    items = completed_items(items, level)
    return SourceTables(
        items=items,
        rejected=empty_table("rejected"),
        tasks=with_counts(described, column, values),
        labels=pd.DataFrame(
            {
                "item_id": labels["item"].to_numpy(np.int32),
                "task_id": pd.Categorical.from_codes(column, pd.Index(ids)),
                "value": values.astype(np.float32),
                "bound": _bounds(labels),
            }
        ),
        classes=pd.DataFrame(rows, columns=list(DATA["classes"])) if rows else empty_table("classes"),
        conflicts=empty_table("conflicts") if lost is None else _conflicts(lost, items, ids),
        counts=dict(counts or {}),
    )


def _bounds(labels: pd.DataFrame) -> Any:
    """Return the bounds of labels; <= is < and >= is >, as the values lie on a continuous scale."""
    if "bound" not in labels:
        return pd.Categorical.from_codes(np.zeros(len(labels), np.int8), pd.Index([BOUNDS[0]]))
    given = labels["bound"].astype("category").cat
    codes = np.array([BOUNDS.index(name[0]) for name in given.categories], np.int8)
    return pd.Categorical.from_codes(codes[given.codes], pd.Index(BOUNDS)).remove_unused_categories()


def _conflicts(lost: pd.DataFrame, items: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    """Return table "conflicts" of lost cells, with the SMILES where the items have one."""
    place = lost["item"].to_numpy(np.int64)
    named = [name for name in ("source_id", "smiles") if name in items]
    return pd.DataFrame(
        {
            "item_id": place.astype(np.int32),
            **{name: items[name].to_numpy(object)[place] for name in named},
            "task_id": pd.Series([ids[task] for task in lost["task"]], dtype=object),
            **{name: lost[name].to_numpy(object) for name in ("reason", "rows", "values")},
        }
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
