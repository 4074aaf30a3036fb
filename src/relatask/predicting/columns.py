"""Names of the columns of predictions, beside those that a file has."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.models.ensemble import SPREAD, Ensemble
from relatask.models.prediction import REASON, Model

PREDICTED = "_pred"  # after names of predictions, of a file that has columns of these names
log = logging.getLogger(__name__)


def header_of(model: Model | Ensemble, columns: Sequence[str], file: Path) -> list[str]:
    """Return the columns of the predictions: tasks by the names that the training file gives.

    Where the file has such a column, as known results do, `_pred` stands behind each name of a task.

    Raises:
        RelataskError: the file has a column of that name too.
    """
    names = model.names
    if len({_named(column, names) for column in model.columns}) < len(model.columns):
        names = {task: task for task in names}  # tasks of one name, or a name that ends in `_unc`
    header = [_named(column, names) for column in model.columns]
    known = {*columns} & {*header} - {REASON}
    if known:
        marked = {task: f"{name}{PREDICTED}" for task, name in names.items()}
        header = [_named(column, marked) for column in model.columns]
    if clash := {*columns} & {*header}:
        raise RelataskError(f"{file} has a column {min(clash)!r}, which the predictions have too; rename it.")
    if known:
        log.info("%s has a column %r, so names of predictions end in %s.", file, min(known), PREDICTED)
    return header


def _named(column: str, names: Mapping[str, str]) -> str:
    """Return a column of predictions with the name of its task for the id."""
    task = column.removesuffix(SPREAD)
    if column in names or task not in names:
        return names.get(column, column)
    return f"{names[task]}{SPREAD}"
