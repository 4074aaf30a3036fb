"""The LSC benchmark of Mayr et al. (2018): ChEMBL 20 assays, read through a restricted unpickler."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.tables import read_table
from relatask.data.raw_table import RawTable
from relatask.sources.lsc.pickles import Array, read_pickles
from relatask.sources.lsc.unpickled import LONGEST, LayoutError, entries_of, name_of, series_of
from relatask.sources.task_sheet import read_task_sheet, tasks_without_sheet

if TYPE_CHECKING:
    from relatask.sources.lsc.lsc import LscSource

SMILES = "chembl20Smiles.pckl"
LABELS = "labelsHard.pckl"
TARGETS = "assay_targets.parquet"  # beside them, written by the step query_assay_targets
log = logging.getLogger(__name__)


def read_lsc(config: "LscSource", raw: Path) -> RawTable:
    """Read SMILES and labels of the folder `raw`; the matrix (456,331 x 1,310) is never made dense.

    Labels are +1 (active) and -1; what the sparse matrix does not hold, or holds as 0, is missing. Tasks
    are named by their ChEMBL assay id. Their proteins come from `config.task_sheet`, else from the table
    that the step query_assay_targets puts beside the files, if it is there.

    Args:
        config: `task_columns` chooses assays.
        raw: folder of the two files.

    Raises:
        RelataskError: a file is absent, of another layout, or names a class that is not allowed.
    """
    smiles = _read_smiles(raw / SMILES)
    labels, names = _read_labels(raw / LABELS, len(smiles))
    if config.task_columns is not None:
        labels, names = _choose(labels, names, config.task_columns, raw / LABELS)
    return RawTable(
        smiles=smiles,
        source_ids=[None] * len(smiles),
        rows=np.arange(1, len(smiles) + 1, dtype=np.int64),
        labels=labels,
        tasks=_tasks(config, raw, names),
        notes={"without_smiles": sum(text is None for text in smiles)},
    )


def read_assay_names(path: Path) -> list[str]:
    """Return the ChEMBL assay ids that name the columns of labelsHard.pckl, in their order."""
    _, _, columns = read_pickles(path, 3)
    with _told(path):
        return [str(name) for name in _ordered_columns(columns)[0]]


def _read_smiles(path: Path) -> list[str | None]:
    (content,) = read_pickles(path, 1)
    values = content.value.reshape(-1).tolist() if isinstance(content, Array) else content
    if not isinstance(values, list | tuple):
        raise RelataskError(f"{path} must hold a list of SMILES, but holds a {name_of(content)}.")
    for row, text in enumerate(values, start=1):
        if text is not None and not isinstance(text, str):
            raise RelataskError(f"{path}: entry {row} is a {name_of(text)}, expected a SMILES or None.")
    return list(values)


def _read_labels(path: Path, n_molecules: int) -> tuple[pd.DataFrame, list[str]]:
    """Return labels as in `RawTable`, sorted by molecule and task, and the assay ids."""
    matrix, samples, columns = read_pickles(path, 3)
    with _told(path):
        rows, entry_columns, values, shape = entries_of(matrix)
        molecule_of_row = _molecules(samples, shape[0], n_molecules)
        names, task_of_column = _ordered_columns(columns)
        if len(task_of_column) > shape[1]:
            raise LayoutError(f"it names {len(task_of_column)} assays for {shape[1]} columns")
        known = np.full(shape[1], -1, dtype=np.int64)
        known[: len(task_of_column)] = task_of_column
        kept = values != 0
        rows, entry_columns, values = rows[kept], entry_columns[kept], values[kept]
        if not np.isin(values, (-1, 1)).all():
            odd = values[~np.isin(values, (-1, 1))][0]
            raise LayoutError(f"a label is {odd}, expected +1 or -1")
        molecules, tasks = molecule_of_row[rows], known[entry_columns]
        if len(rows) and min(molecules.min(), tasks.min()) < 0:
            raise LayoutError("a labelled row or column of the matrix is named by no index")
    order = np.lexsort((tasks, molecules))
    labels = pd.DataFrame(
        {
            "row_position": molecules[order],
            "task": tasks[order].astype(np.int32),
            "value": (values[order] > 0).astype(np.float64),
        }
    )
    return labels, [str(name) for name in names]


def _molecules(samples: Any, n_rows: int, n_molecules: int) -> np.ndarray:
    """Return the position in the SMILES list of each row of the matrix, -1 where none is named.

    The labels of the Series are positions in the list, its values rows of the matrix.
    """
    labels, values = series_of(samples)
    if labels.dtype.kind not in "iu" or values.dtype.kind not in "iu":
        raise LayoutError("the index of the molecules must hold whole numbers")
    if len(labels) and not (
        0 <= values.min() <= values.max() < n_rows and 0 <= labels.min() <= labels.max() < n_molecules
    ):
        raise LayoutError(
            f"the index of the molecules leads outside of the {n_rows} rows of the matrix or the "
            f"{n_molecules} entries of {SMILES}; both files must be of one release"
        )
    if len(np.unique(values)) != len(values):
        raise LayoutError("the index of the molecules names a row twice")
    molecule = np.full(n_rows, -1, dtype=np.int64)
    molecule[values] = labels
    return molecule


def _ordered_columns(columns: Any) -> tuple[list[str], np.ndarray]:
    """Return the assay ids in order of their columns, and the task of each column counted from the first.

    The columns may count from any number; the authors' own code subtracts the smallest.
    """
    labels, values = series_of(columns)
    names = [name.decode() if isinstance(name, bytes) else name for name in labels.tolist()]
    if not names or values.dtype.kind not in "iu" or not all(isinstance(name, str) for name in names):
        raise LayoutError("the index of the assays must map assay ids to whole numbers")
    if len(set(names)) != len(names) or len(np.unique(values)) != len(values):
        raise LayoutError("the index of the assays names an assay or a column twice")
    positions = values.astype(np.int64)
    positions -= positions.min()
    if positions.min() < 0 or positions.max() > LONGEST:
        raise LayoutError(f"the columns of the assays lie from {values.min()} to {values.max()}")
    order = np.argsort(positions)
    task_of_column = np.full(positions.max() + 1, -1, dtype=np.int64)
    task_of_column[positions[order]] = np.arange(len(order))
    return [names[i] for i in order], task_of_column


def _choose(
    labels: pd.DataFrame, names: list[str], wanted: list[str], path: Path
) -> tuple[pd.DataFrame, list[str]]:
    if missing := [name for name in wanted if name not in names]:
        raise RelataskError(f"{path} has no assay {missing[0]!r} (task_columns).")
    chosen = list(dict.fromkeys(wanted))
    position = np.full(len(names), -1, dtype=np.int32)
    position[[names.index(name) for name in chosen]] = np.arange(len(chosen), dtype=np.int32)
    task = position[labels.task.to_numpy()]
    return labels.assign(task=task)[task >= 0].reset_index(drop=True), chosen


def _tasks(config: "LscSource", folder: Path, names: list[str]) -> pd.DataFrame:
    """Return the tasks table, with proteins from a sheet or from the answers of ChEMBL."""
    if config.task_sheet:
        return read_task_sheet(config.task_sheet, names).assign(source_id=pd.Series(names, dtype=object))
    tasks = tasks_without_sheet(names).assign(source_id=pd.Series(names, dtype=object))
    if not (folder / TARGETS).exists():
        log.info("%s: %s is absent, so the assays have no proteins.", folder, TARGETS)
        return tasks
    table = read_table("assay_targets", folder / TARGETS)
    uniprots = dict(zip(table.assay_id, table.uniprots, strict=True))
    tasks["uniprots"] = pd.Series([list(uniprots.get(name, [])) for name in names], dtype=object)
    return tasks


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn a `LayoutError`, or what damaged parts lead numpy to, into the sentence that names the file."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise RelataskError(f"{path}: {error}; it is not the file of LSC, get it again.") from None
