"""Several tables of a user's own that become one: what each is taken for, together."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from relatask.commands._table import FOUND_OUT, OwnTable, describe, require_columns
from relatask.core.errors import RelataskError
from relatask.core.kinds import Kind
from relatask.sources.table_files import Reading, open_table


def describe_all(
    paths: Sequence[Path],
    smiles: str | None = None,
    targets: Sequence[str] | None = None,
    ignored: Sequence[str] = (),
    splits: str | None = None,
    task_type: Kind | None = None,
    reading: Reading = FOUND_OUT,
) -> OwnTable:
    """Look at one or several tables of molecules; see `describe`.

    A task that several files have is one, and a column that an option names need not be in all files.

    Raises:
        RelataskError: as of `describe`, or some files have a row for each measurement and others have not, or
            in columns of other names.
    """
    if len(paths) == 1:
        return describe(paths[0], smiles, targets, ignored, splits, task_type, reading=reading)
    columns = {path: open_table(path, reading).names for path in paths}
    there = list(dict.fromkeys(name for names in columns.values() for name in names))
    files = ", ".join(map(str, paths))
    require_columns(f"no file of {files} has a column", there, smiles, targets, ignored, splits)
    tables: list[OwnTable] = []
    for path, own in columns.items():
        wanted = [name for name in targets if name in own] if targets else None
        if wanted == []:
            raise RelataskError(f"{path} has no column of --target-columns; leave the file out.")
        table = describe(
            path,
            smiles if smiles in own else None,
            wanted,
            [name for name in ignored if name in own],
            splits if splits in own else None,
            task_type,
            one_of_several=True,
            reading=reading,
        )
        if tables and table.long != tables[0].long:
            raise RelataskError(_unlike(tables[0], table))
        tables.append(table)
    return _joined(tables)


def with_test_file(table: OwnTable, path: Path, smiles: str | None) -> OwnTable:
    """Return a table with the file of the molecules to test on, as `test_path` of a study names it.

    Args:
        table: what is trained on.
        path: of the file.
        smiles: column of SMILES, if wanted; the file may have another one.

    Raises:
        RelataskError: the table has a row for each measurement, or the file lacks a task of it.
    """
    if table.long:
        raise RelataskError(
            f"{table.path} has a row for each measurement, and --test-file goes with a row for each "
            "molecule; write train and test into a column, and name it with --splits-column."
        )
    own = open_table(path, table.reading).names
    if missing := [name for name in table.tasks if name not in own]:
        raise RelataskError(
            f"{path} (--test-file) has no column {missing[0]!r}, which {table.path} has; its columns must "
            "have the same names, or name with --target-columns those that both have."
        )
    test = describe(path, smiles if smiles in own else None, list(table.tasks), reading=table.reading)
    return replace(
        table,
        n_rows=table.n_rows + test.n_rows,
        n_labels=table.n_labels + test.n_labels,
        id_column=table.id_column if table.id_column in own else None,
        tested=(path, test.smiles_column),
    )


def _unlike(one: OwnTable, other: OwnTable) -> str:
    """Return why two files cannot be one table."""
    if one.long and other.long:
        name, here, there = next(
            (name, here, vars(other.long)[name])
            for name, here in vars(one.long).items()
            if here != vars(other.long)[name]
        )
        return (
            f"{one.path} and {other.path} have a row for each measurement, and their {name} differs "
            f"({here or 'none'}, {there or 'none'}); call the columns alike in both."
        )
    long, wide = (one, other) if one.long else (other, one)
    return (
        f"{long.path} has a row for each measurement, and {wide.path} one for each molecule; train them "
        "apart, or bring them into one form."
    )


def _joined(tables: Sequence[OwnTable]) -> OwnTable:
    tasks: dict[str, Kind] = {}
    for table in tables:
        for name, kind in table.tasks.items():
            kinds = {kind, tasks.get(name, kind)}
            tasks[name] = "class" if "class" in kinds else "real" if "real" in kinds else "binary"
    first = tables[0]
    left_out = {name: why for table in tables for name, why in (table.left_out or {}).items()}
    units = {name: unit for table in tables for name, unit in table.units.items()}
    ids = {table.id_column for table in tables}
    return replace(
        first,
        tasks=tasks,
        n_rows=sum(table.n_rows for table in tables),
        n_labels=sum(table.n_labels for table in tables),
        id_column=first.id_column if len(ids) == 1 else None,
        splits_column=next((table.splits_column for table in tables if table.splits_column), None),
        left_out={name: why for name, why in left_out.items() if name not in tasks},
        units={name: unit for name, unit in units.items() if tasks[name] == "real"},
        doubts={name: why for table in tables for name, why in table.doubts.items()},
        wide_range=tuple(dict.fromkeys(name for table in tables for name in table.wide_range)),
        more=tuple((table.path, table.smiles_column) for table in tables[1:]),
    )
