"""Tables of molecules x tasks in the forms that sources have, each read to a `RawTable`."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from relatask.core.columns.data import DATA
from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.core.source_block import TASK_SHEET
from relatask.data.raw_table import RawTable
from relatask.data.source_tables import SourceContext
from relatask.sources.active import ActiveRule, rule_columns
from relatask.sources.folder import folder_of
from relatask.sources.joined_tables import joined
from relatask.sources.label_cells import LabelColumn
from relatask.sources.molecule_files import MoleculeFiles
from relatask.sources.molecules import MoleculeBlock
from relatask.sources.table_files import TableFile, find_column, open_table, read_texts, row_in_file, suffixes
from relatask.sources.task_sheet import read_task_sheet, tasks_without_sheet
from relatask.sources.units import P_UNIT
from relatask.sources.wide_table import read_wide

if TYPE_CHECKING:
    from relatask.sources.kiba import KibaSource
    from relatask.sources.table import TableSource

KIBA_ACTIVE = ActiveRule(at_least=None, at_most=3.0)  # SGNN-EBM and the KIBA paper: lower is stronger
MOLECULE_COLUMNS = ("smiles", "n_heavy_atoms", "mol_weight", "scaffold")  # that standardisation gives


def read_table_source(config: "TableSource", context: SourceContext) -> RawTable:
    """Read a table of molecules x tasks, a user's or MoleculeNet's, or several as one."""
    paths = config.paths(context)
    reading = config.reading(paths)
    tables = [open_table(path, reading) for path in paths]
    wanted = config.task_columns
    if wanted is not None and len(tables) > 1:  # then a file may lack some of them, but not all files
        there = {name for table in tables for name in table.names}
        if absent := [name for name in wanted if name not in there]:
            raise RelataskError(
                f"{', '.join(paths)}: no file has a column {absent[0]!r} (task_columns)."
                f"{suggest(absent[0], sorted(there)[:50])}"
            )
    parts = []
    for table in tables:
        own_tasks = [name for name in wanted if name in table.names] if wanted and len(tables) > 1 else wanted
        parts.append(_columns_of(config, context, table, own_tasks))
    names = list(dict.fromkeys(name for part in parts for name in part.tasks))
    for key in ("kinds", "units", "thresholds", "p_values"):
        for name in getattr(config, key):
            if name not in names:
                raise RelataskError(f"{paths[0]} has no task {name!r} ({key}).{suggest(name, names)}")
    whole = joined([_read_file(config, part) for part in parts], paths)
    return with_sheet(whole, config, context, tables[0].path)


@dataclass(frozen=True)
class _Columns:
    """A file of a table, and what its columns are."""

    table: TableFile
    smiles: str
    id: str | None
    kept: list[str]
    tasks: list[str]


def _columns_of(
    config: "TableSource", context: SourceContext, table: TableFile, wanted: list[str] | None
) -> _Columns:
    """Find the columns of a file."""
    smiles = find_smiles(table, config.smiles_column)
    id_ = find_column(table, config.id_column, "id_column") if config.id_column else None
    kept = kept_columns(table, [*config.item_columns, *context.columns], MOLECULE_COLUMNS)
    tasks = columns_of_tasks(table, wanted, [smiles, *([id_] if id_ else []), *kept])
    return _Columns(replace(table, numbers=frozenset(tasks)), smiles, id_, kept, tasks)


def _read_file(config: "TableSource", columns: _Columns) -> RawTable:
    """Read one file of a table."""
    table, tasks, kept = columns.table, columns.tasks, columns.kept
    ids = [columns.id] if columns.id else []
    cells = label_columns(config, tasks)
    wide = read_wide(table, [columns.smiles, *ids, *kept], cells, names=ids)
    if not wide.n_rows:
        raise RelataskError(f"{table.path} has a header but no rows; it must hold one row per molecule.")
    return RawTable(
        smiles=wide.texts[columns.smiles],
        source_ids=wide.texts[columns.id] if columns.id else [None] * wide.n_rows,
        rows=np.arange(1, wide.n_rows + 1, dtype=np.int64),
        labels=wide.labels,
        tasks=tasks_without_sheet(tasks).assign(**task_columns(config, cells)),
        notes=wide.notes,
        classes={tasks[task]: names for task, names in wide.classes.items()},
        columns={name: wide.texts[name] for name in kept},
    )


def find_smiles(table: TableFile, wanted: str | Sequence[str]) -> str:
    """Return the column of the SMILES: the first of `wanted` that a table has, in any case.

    Raises:
        RelataskError: there is none, or several in other cases.
    """
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    there = {name.strip().lower() for name in table.names}
    name = next((name for name in names if name.lower() in there), names[0])
    found = find_column(table, name, "smiles_column")
    if found != name:
        logging.info("%s: column %r is read as the SMILES.", table.path, found)
    return found


def label_columns(config: "TableSource", tasks: Sequence[str]) -> list[LabelColumn]:
    """Return how the cells of each task are read."""
    return [
        LabelColumn(task, config.kind_of(task), config.rule_of(task), config.p_values.get(task))
        for task in tasks
    ]


def task_columns(config: "TableSource", columns: Sequence[LabelColumn]) -> dict[str, list[Any]]:
    """Return the columns of the tasks of a `RawTable` that say what its labels are."""
    units = [P_UNIT if column.concentration else config.units.get(column.name) for column in columns]
    return {
        "kind": [column.kind for column in columns],
        "unit": [unit if own.kind == "real" else None for unit, own in zip(units, columns, strict=True)],
        "transform": [
            f"{P_UNIT} of {column.concentration}" if column.concentration else None for column in columns
        ],
        **rule_columns([column.rule for column in columns]),
    }


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
                    f"task_columns: {column!r} stands there twice or is another column of the source: of "
                    "SMILES or ids, one of item_columns, or one that splits or weights read; list each label "
                    "column once, and no other."
                )
            seen.add(column)
    if not tasks:
        raise RelataskError(f"{table.path} has no task column beside {keys}; each task is one column.")
    return tasks


def only_table(raw: Path, name: str) -> Path:
    """Return the one data table in the raw folder; `tasks.csv` is the sheet that may lie beside it."""
    tables = tuple(suffix for suffix in suffixes() if not suffix.startswith(".txt"))  # such as a README
    found = sorted(
        path for path in raw.glob("*") if path.name.endswith(tables) and path.name.split(".")[0] != "tasks"
    )
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise RelataskError(f"sources.{name}: {raw} must hold one table, e.g. CSV, but holds {names}.")
    return found[0]


def with_sheet(table: RawTable, config: MoleculeFiles, context: SourceContext, data: Path) -> RawTable:
    """Return a table with the proteins of its tasks that a task sheet says, if there is one."""
    raw = folder_of(config, context) if config.path is None and context.task_sheet else None
    if sheet := _sheet_of(config, raw, data):
        described = read_task_sheet(sheet, table.tasks["name"].tolist())
        table.tasks = table.tasks.assign(**{name: described[name] for name in ("uniprots", "string_ids")})
    return table


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
    own = raw / TASK_SHEET if raw else None
    return own if own is not None and own.is_file() and own != data else None


def read_kiba(config: "KibaSource", folder: Path, proteins: bool) -> RawTable:
    """Read KIBA scores (ChEMBL compounds x UniProt accessions), molecules.csv and tasks.csv of a folder.

    Without the sheet, tasks have the accessions that name them and no STRING ids.
    """
    scores = sorted(folder.glob("kiba_scores*.csv*"))
    if len(scores) != 1:
        raise RelataskError(
            f"{folder} must hold one kiba_scores*.csv (or .csv.gz) beside molecules.csv and tasks.csv."
        )
    table = open_table(scores[0])
    id_column = find_column(table, "chembl_id", "id_column")
    tasks = columns_of_tasks(table, None, [id_column])
    rule = config.active or KIBA_ACTIVE
    wide = read_wide(table, [id_column], [LabelColumn(task, rule=rule) for task in tasks])
    if proteins or config.task_sheet:
        sheet = read_task_sheet(config.task_sheet or folder / TASK_SHEET, tasks, ("uniprot",))
    else:
        sheet = tasks_without_sheet(tasks)
        sheet["uniprots"] = pd.Series([[task] for task in tasks], dtype=object)
    sheet["source_id"] = pd.Series(tasks, dtype=object)
    smiles_of = _smiles_by_id(folder / "molecules.csv")
    ids = wide.texts[id_column]
    return RawTable(
        smiles=[smiles_of.get(id_ or "") for id_ in ids],
        source_ids=ids,
        rows=np.arange(1, wide.n_rows + 1, dtype=np.int64),
        labels=wide.labels,
        tasks=sheet.assign(**rule_columns([rule] * len(tasks))),
        notes=wide.notes,
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
