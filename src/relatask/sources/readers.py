"""Tables of molecules x tasks in the forms that sources have, each read to a `RawTable`."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.core.columns.data import DATA
from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.data.raw_table import RawTable
from relatask.data.source_tables import SourceContext
from relatask.sources.active import ActiveRule
from relatask.sources.folder import folder_of
from relatask.sources.molecules import MoleculeBlock
from relatask.sources.table_files import SUFFIXES, TableFile, find_column, open_table, read_texts, row_in_file
from relatask.sources.task_sheet import read_task_sheet, tasks_without_sheet
from relatask.sources.wide_table import read_wide

if TYPE_CHECKING:
    from relatask.sources.kiba import KibaSource
    from relatask.sources.table import TableSource

KIBA_ACTIVE = ActiveRule(at_least=None, at_most=3.0)  # SGNN-EBM and the KIBA paper: lower is stronger
MOLECULE_COLUMNS = ("smiles", "n_heavy_atoms", "mol_weight", "scaffold")  # that standardisation gives


def read_table_source(config: "TableSource", context: SourceContext) -> RawTable:
    """Read a CSV or Parquet of SMILES x tasks: a user's, or MoleculeNet's."""
    folder = folder_of(config, context)
    table = open_table(folder if config.path else only_table(folder, context.name))
    smiles_column = find_column(table, config.smiles_column, "smiles_column")
    if smiles_column != config.smiles_column:
        logging.info("%s: column %r is read as the SMILES.", table.path, smiles_column)
    keys = [smiles_column]
    if config.id_column:
        keys.append(find_column(table, config.id_column, "id_column"))
    kept = kept_columns(table, [*config.item_columns, *context.columns], MOLECULE_COLUMNS)
    tasks = columns_of_tasks(table, config.task_columns, [*keys, *kept])
    for name in (*config.kinds, *config.units):
        if name not in tasks:
            raise RelataskError(f"{table.path} has no task {name!r} (kinds, units).{suggest(name, tasks)}")
    kinds = [config.kind_of(task) for task in tasks]
    wide = read_wide(table, [*keys, *kept], tasks, config.active, kinds, names=keys[1:])
    if not wide.n_rows:
        raise RelataskError(f"{table.path} has a header but no rows; it must hold one row per molecule.")
    sheet = _sheet_of(config, folder if config.path is None else None, table.path)
    described = read_task_sheet(sheet, tasks) if sheet else tasks_without_sheet(tasks)
    return RawTable(
        smiles=wide.texts[smiles_column],
        source_ids=wide.texts[keys[-1]] if config.id_column else [None] * wide.n_rows,
        rows=np.arange(1, wide.n_rows + 1, dtype=np.int64),
        labels=wide.labels,
        tasks=described.assign(
            kind=kinds, unit=pd.Series([config.units.get(task) for task in tasks], dtype=object)
        ),
        classes={tasks[task]: names for task, names in wide.classes.items()},
        columns={name: wide.texts[name] for name in kept},
    )


def kept_columns(table: TableFile, asked: Sequence[str], own: Sequence[str]) -> list[str]:
    """Return the columns that the items keep, each once.

    Args:
        table: the opened file.
        asked: `item_columns`, and the columns that splits and weights read.
        own: columns that the source gives its items, besides those that all items have.

    Raises:
        RelataskError: there is no such column, or it would replace one that the items have.
    """
    found = list(dict.fromkeys(find_column(table, name, "item_columns, splits or weights") for name in asked))
    for name in found:
        if name in DATA["items"] or name in own:
            raise RelataskError(
                f"{table.path}: item_columns and splits cannot keep the column {name!r}, as items have one"
                " of this name; rename it in the file."
            )
    return found


def columns_of_tasks(table: TableFile, wanted: list[str] | None, keys: list[str]) -> list[str]:
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
                    f"task_columns: {column!r} stands there twice or is another column of the source; "
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


def _sheet_of(config: MoleculeBlock, raw: Path | None, data: Path) -> Path | None:
    """Return the task sheet that the config names (also inside the raw folder), or the raw folder's own."""
    if config.task_sheet:
        inside = (raw or Path()) / Path(config.task_sheet).name
        given = Path(config.task_sheet)
        if not given.is_file() and not inside.is_file():
            raise RelataskError(
                f"task_sheet: there is no file {given}; give the path of a CSV or Parquet sheet."
            )
        return given if given.is_file() else inside
    own = raw / "tasks.csv" if raw else None
    return own if own is not None and own.is_file() and own != data else None


def read_kiba(config: "KibaSource", folder: Path) -> RawTable:
    """Read KIBA scores (ChEMBL compounds x UniProt accessions), molecules.csv and tasks.csv of a folder."""
    scores = sorted(folder.glob("kiba_scores*.csv*"))
    if len(scores) != 1:
        raise RelataskError(
            f"{folder} must hold one kiba_scores*.csv (or .csv.gz) beside molecules.csv and tasks.csv."
        )
    table = open_table(scores[0])
    id_column = find_column(table, "chembl_id", "id_column")
    tasks = columns_of_tasks(table, None, [id_column])
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
    for row, (id_, smiles) in enumerate(zip(columns["chembl_id"], columns["smiles"], strict=True)):
        if smiles and smiles_of.setdefault(id_, smiles) != smiles:
            place = row_in_file(path, row)
            raise RelataskError(f"{path}, {place}: {id_} has another SMILES above; keep one.")
    return smiles_of
