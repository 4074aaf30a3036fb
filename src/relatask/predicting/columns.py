"""Names of the columns of predictions, beside those that a file has."""

import logging
from collections.abc import Sequence
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.models.ensemble import Ensemble
from relatask.models.prediction import REASON, Model
from relatask.models.wanted import ALL, Wanted
from relatask.sources.table_files import PARQUET_INDEX

PREDICTED = "_pred"  # after names of predictions, of a file that has columns of these names
log = logging.getLogger(__name__)


def header_of(model: Model | Ensemble, columns: Sequence[str], file: Path, wanted: Wanted = ALL) -> list[str]:
    """Return the columns of the predictions: tasks by the names that the training file gives.

    Where the file has such a column, as known results do, `_pred` stands behind each name of a task.

    Raises:
        RelataskError: the file has a column of that name too.
    """
    names = model.names
    if len({*model.columns(wanted, names)}) < len(model.columns(wanted)):
        names = {task: task for task in names}  # tasks of one name, or a name that ends in `_unc`
    header = model.columns(wanted, names)
    known = {*columns} & {*header} - {REASON}
    if known:
        header = model.columns(wanted, {task: f"{name}{PREDICTED}" for task, name in names.items()})
    if clash := {*columns} & {*header}:
        raise RelataskError(f"{file} has a column {min(clash)!r}, which the predictions have too; rename it.")
    if known:
        log.info("%s has a column %r, so names of predictions end in %s.", file, min(known), PREDICTED)
    return header


def in_text(names: Sequence[str]) -> list[str]:
    """Return names of columns as pandas writes them into a text, where an index without a name has none."""
    return ["" if PARQUET_INDEX.fullmatch(name) else name for name in names]
