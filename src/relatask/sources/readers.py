"""Readers: one function per form of source, all returning a `RawTable`."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.config import ActiveRule, SourceConfig
from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.data.raw_table import RawTable
from relatask.sources.table_files import SUFFIXES, TableFile, find_column, open_table, read_texts
from relatask.sources.task_sheet import read_task_sheet, tasks_without_sheet
from relatask.sources.wide_table import read_wide

KIBA_ACTIVE = ActiveRule(at_least=None, at_most=3.0)  # SGNN-EBM and the KIBA paper: lower is stronger


def read_source(config: SourceConfig, name: str, raw: Path | None = None) -> RawTable:
    """Read one source.

    Args:
        config: how to read it.
        name: key of the source, for messages.
        raw: folder of its raw files; not needed where `config.path` names a file.

    Raises:
        RelataskError: a file, column or cell is not as expected.
    """
    if config.path is None and raw is None:
        raise RelataskError(f"sources.{name}: give `path`, or the folder of its raw files with --raw.")
    folder = raw if raw is not None else Path()
    if config.reader == "lsc":
        from relatask.sources.lsc.tables import read_lsc

        return read_lsc(config, folder)
    if config.reader == "chembl_activities":
        from relatask.sources.chembl.activities import read_activities

        return read_activities(config, folder)
    if config.reader == "kiba":
        return _read_kiba(config, Path(config.path) if config.path else folder)
    return _read_table(config, name, folder)


def _read_table(config: SourceConfig, name: str, raw: Path) -> RawTable:
    """Read a CSV or Parquet of SMILES x tasks: a user's, MoleculeNet's or the planted one."""
    table = open_table(config.path or only_table(raw, name))
    smiles_column = find_column(table, config.smiles_column, "smiles_column")
    if smiles_column != config.smiles_column:
        logging.info("%s: column %r is read as the SMILES.", table.path, smiles_column)
    keys = [smiles_column]
    if config.id_column:
        keys.append(find_column(table, config.id_column, "id_column"))
    tasks = _task_columns(table, config.task_columns, keys)
    wide = read_wide(table, keys, tasks, config.active)
    if not wide.n_rows:
        raise RelataskError(f"{table.path} has a header but no rows; it must hold one row per molecule.")
    sheet = _sheet_of(config, raw, table.path)
    return RawTable(
        smiles=wide.texts[smiles_column],
        source_ids=wide.texts[keys[-1]] if config.id_column else [None] * wide.n_rows,
        rows=np.arange(1, wide.n_rows + 1, dtype=np.int64),
        labels=wide.labels,
        tasks=read_task_sheet(sheet, tasks) if sheet else tasks_without_sheet(tasks),
    )


def _task_columns(table: TableFile, wanted: list[str] | None, keys: list[str]) -> list[str]:
    """Return the columns that are tasks, checked."""
    if wanted is None:
        tasks = [column for column in table.names if column not in keys]
    else:
        tasks = wanted
        known, seen = set(table.names), set(keys)
        for column in tasks:
            if column not in known:
                hint = suggest(column, table.names[:50])
                raise RelataskError(f"{table.path} has no column {column!r} (task_columns).{hint}")
            if column in seen:
                raise RelataskError(
                    f"task_columns: {column!r} stands there twice or is the SMILES or id column; "
                    "list each label column once."
                )
            seen.add(column)
    if not tasks:
        raise RelataskError(f"{table.path} has no task column beside {keys}; each task is one column.")
    return tasks


def only_table(raw: Path, name: str) -> Path:
    """Return the one data table in the raw folder; `tasks.csv` is the sheet that may lie beside it."""
    found = sorted(
        path for path in raw.glob("*") if path.name.endswith(SUFFIXES) and path.name.split(".")[0] != "tasks"
    )
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise RelataskError(f"sources.{name}: {raw} must hold one CSV or Parquet table, but holds {names}.")
    return found[0]


def _sheet_of(config: SourceConfig, raw: Path, data: Path) -> Path | None:
    """Return the task sheet that the config names (also inside the raw folder), or the raw folder's own."""
    if config.task_sheet:
        inside = raw / Path(config.task_sheet).name
        given = Path(config.task_sheet)
        if not given.is_file() and not inside.is_file():
            raise RelataskError(
                f"task_sheet: there is no file {given}; give the path of a CSV or Parquet sheet."
            )
        return given if given.is_file() else inside
    own = raw / "tasks.csv"
    return own if config.path is None and own.is_file() and own != data else None


def _read_kiba(config: SourceConfig, folder: Path) -> RawTable:
    """Read KIBA scores (ChEMBL compounds x UniProt accessions), molecules.csv and tasks.csv of a folder."""
    scores = sorted(folder.glob("kiba_scores*.csv*"))
    if len(scores) != 1:
        raise RelataskError(
            f"{folder} must hold one kiba_scores*.csv (or .csv.gz) beside molecules.csv and tasks.csv."
        )
    table = open_table(scores[0])
    id_column = find_column(table, config.id_column or "chembl_id", "id_column")
    tasks = _task_columns(table, config.task_columns, [id_column])
    wide = read_wide(table, [id_column], tasks, config.active or KIBA_ACTIVE)
    sheet = read_task_sheet(config.task_sheet or folder / "tasks.csv", tasks, ("uniprot",))
    sheet["source_id"] = pd.Series(tasks, dtype=object)
    smiles_of = _smiles_by_id(folder / "molecules.csv")
    ids = wide.texts[id_column]
    return RawTable(
        smiles=[smiles_of.get(id_ or "") for id_ in ids],
        source_ids=ids,
        rows=np.arange(1, wide.n_rows + 1, dtype=np.int64),
        labels=wide.labels,
        tasks=sheet,
    )


def _smiles_by_id(path: Path) -> dict[str, str]:
    columns = read_texts(path)
    if missing := [name for name in ("chembl_id", "smiles") if name not in columns]:
        raise RelataskError(f"{path} lacks the column {missing[0]!r}.")
    smiles_of: dict[str, str] = {}
    for row, (id_, smiles) in enumerate(zip(columns["chembl_id"], columns["smiles"], strict=True), start=1):
        if smiles and smiles_of.setdefault(id_, smiles) != smiles:
            raise RelataskError(f"{path}, data row {row}: {id_} has another SMILES above; keep one.")
    return smiles_of
