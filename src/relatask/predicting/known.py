"""Results that are known of items: read from a table, found again by the item's SMILES or text."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.models.ensemble import Ensemble
from relatask.models.items import ReadItems, as_items
from relatask.models.prediction import Model
from relatask.predicting.rows import items_in, rows_of
from relatask.sources.cells import MISSING, text_of
from relatask.sources.table_files import TableFile, row_in_file

ItemsOf = Callable[[Sequence[str]], Sequence[str] | pd.DataFrame]
log = logging.getLogger(__name__)


def read_known(path: Path, named: str | None, model: Model | Ensemble, items_of: ItemsOf) -> pd.DataFrame:
    """Read results that are known, as `predict` takes them.

    Several rows of one molecule give a value their mean; labels and classes that contradict each other are
    left out and told, and so are rows without a molecule.

    Args:
        path: of a table with the column that the model reads, and one for each task of which results are
            known, by the task's name. A cell is what is predicted: 0 or 1, a value in the task's unit, or the
            name of a class.
        named: the column of SMILES or texts, if the user names it.
        model: that reads the results.
        items_of: makes items of SMILES or texts, see `with_vectors`.

    Returns:
        A row for each item, whose standardised SMILES or text is the index, and a column for each task, by
        its id; NaN where nothing is known.

    Raises:
        RelataskError: the table cannot be read, names no task of the model, or a cell is no result.
    """
    rows = rows_of(path, named, model.column)
    tasks = {name: task for task, name in model.names.items()}
    tasks |= {task: task for task in model.task_ids if task not in tasks}
    columns = [name for name in rows.table.names if name in tasks]
    if not columns:
        raise RelataskError(
            f"{path} names no task of the model in its header; it has {', '.join(model.names.values())}."
            f"{suggest(rows.table.names[-1], list(tasks))}"
        )
    texts: list[str] = []
    cells: dict[str, list[str | None]] = {name: [] for name in columns}
    for batch in rows.table.batches([rows.column, *columns]):
        texts += items_in(batch.column(0))
        for name in columns:
            cells[name] += [text_of(cell, MISSING) for cell in batch.column(name).to_pylist()]
    classes = classes_of(model)
    values = {
        tasks[name]: _values(own, classes.get(tasks[name], ()), rows.table, name)
        for name, own in cells.items()
    }
    items, reasons = as_items(items_of(texts), model.members[0].trained)
    usable = np.array([reason is None for reason in reasons])
    if lost := int((~usable).sum()):
        log.warning("%s: %d rows hold no molecule or text, e.g. %s; their results are left out.",
            *(path, lost, next(filter(None, reasons))))  # fmt: skip
    frame = pd.DataFrame(values)[usable].reset_index(drop=True)
    return _of_items(frame, items[model.column].reset_index(drop=True), classes, path)


def classes_of(model: Model | Ensemble) -> dict[str, tuple[str, ...]]:
    """Return task id -> names of its classes, of labels ("0", "1"), of measured values none."""
    of_kind = {"binary": ("0", "1"), "real": ()}
    return {name: of_kind.get(task.kind, tuple(task.classes)) for name, task in model.tasks.items()}


def aligned(known: pd.DataFrame, items: ReadItems, column: str) -> pd.DataFrame:
    """Return what is known of items, which a model reads in a column: a row for each."""
    names = np.full(len(items.reasons), None, object)
    names[[reason is None for reason in items.reasons]] = items.table[column]
    return known.reindex(names).reset_index(drop=True)


def _values(cells: list[str | None], classes: tuple[str, ...], table: TableFile, name: str) -> pd.Series:
    """Return the cells of a column as numbers, or as names of classes.

    Raises:
        RelataskError: one of them is neither.
    """
    column = pd.Series(cells, dtype=object)
    numbers = pd.to_numeric(column, errors="coerce")
    if not classes:
        wrong = column.notna() & ~np.isfinite(numbers.astype(float))
        what = "a number"
    elif classes == ("0", "1"):
        wrong = column.notna() & ~numbers.isin([0, 1])
        what = "0 or 1"
    else:
        numbers, wrong = column, column.notna() & ~column.isin(classes)
        what = f"one of {', '.join(classes)}"
    if wrong.any():
        row = int(np.argmax(wrong))
        raise RelataskError(
            f"{table.path}, {row_in_file(table, row)}, column {name!r}: {cells[row]!r} is not {what}, as the "
            "model predicts it; correct the cell or empty it."
        )
    return numbers


def _of_items(
    frame: pd.DataFrame, names: pd.Series, classes: Mapping[str, tuple[str, ...]], path: Path
) -> pd.DataFrame:
    """Return one row for each item."""
    columns, contradicted = {}, 0
    for task in frame:
        groups = frame[task].groupby(names, sort=False)
        if not classes[str(task)]:
            columns[task] = groups.mean()
        else:
            agrees = groups.nunique() <= 1
            contradicted += int((~agrees).sum())
            columns[task] = groups.first().where(agrees)
    if contradicted:
        log.warning(
            "%s: %d results contradict another row of their molecule and are left out.", path, contradicted
        )
    return pd.DataFrame(columns)
