"""What a table of a user's own is taken for: what it looks like, and what the command line says of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.kinds import Kind
from relatask.core.records import suggest
from relatask.sources.table_description import LongFormat, TableDescription, describe_table
from relatask.sources.table_files import Reading, open_table
from relatask.sources.units import is_concentration, plain_unit

FOUND_OUT = Reading()
WIDE = 3.0  # powers of ten from which the squared error of the largest values is all that counts


@dataclass(frozen=True)
class OwnTable:
    """A table as a study reads it.

    Attributes:
        path: of the file.
        n_rows: rows; of long format, different molecules.
        smiles_column: that holds the SMILES.
        tasks: column -> kind of its labels, in the order of the file; of long format, the names of the tasks.
        n_labels: cells that hold something.
        id_column: that names a row.
        splits_column: that says its fold, if wanted.
        folds_column: one that looks like folds and is not asked for.
        date_column: one that holds dates, by which molecules may be split.
        left_out: column -> why it is nothing.
        long: columns of a table with a row for each measurement.
        units: measured column -> the unit that its name gives in brackets.
        doubts: column of a task -> what it holds, where that is not of one kind throughout.
        wide_range: columns of measured values above 0 that go over `WIDE` powers of ten or more.
        p_values: whether concentrations become -log10(mol/L).
        more: further files whose rows stand behind those of `path`, with their columns of SMILES.
        tested: the file of the molecules to test on, with its column of SMILES.
        reading: how the files are read, where that is not to be found in them.
    """

    path: Path
    n_rows: int
    smiles_column: str
    tasks: dict[str, Kind]
    n_labels: int
    id_column: str | None = None
    splits_column: str | None = None
    folds_column: str | None = None
    date_column: str | None = None
    left_out: dict[str, str] | None = None
    long: LongFormat | None = None
    units: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)
    wide_range: tuple[str, ...] = ()
    p_values: bool = False
    more: tuple[tuple[Path, str], ...] = ()
    tested: tuple[Path, str] | None = None
    reading: Reading = FOUND_OUT

    @property
    def concentrations(self) -> dict[str, str]:
        """Measured column -> unit in its name, of concentrations."""
        return {name: unit for name, unit in self.units.items() if is_concentration(unit)}

    def has_p_values(self, name: str) -> bool:
        """Whether the values of a column are learned as -log10(mol/L)."""
        return self.p_values and (self.long is not None or name in self.concentrations)


def describe(
    path: Path,
    smiles: str | None = None,
    targets: Sequence[str] | None = None,
    ignored: Sequence[str] = (),
    splits: str | None = None,
    task_type: Kind | None = None,
    one_of_several: bool = False,
    reading: Reading = FOUND_OUT,
) -> OwnTable:
    """Look at a table of molecules and say what it is taken for.

    Args:
        path: of the file.
        smiles: column of SMILES; default: as it looks.
        targets: columns of tasks; default: all that hold labels.
        ignored: columns to leave out.
        splits: the column of folds, if wanted.
        task_type: what the cells of all tasks are; default: as they look.
        one_of_several: files that become one table.
        reading: how the file is read, where that is not to be found in it.

    Raises:
        RelataskError: there is no such column, no SMILES, or no task.
    """
    found = describe_table(path, reading, one_of_several)
    columns = [one.name for one in found.columns]
    require_columns(f"{path} has no column", columns, smiles, targets, ignored, splits)
    smiles = smiles or found.smiles_column
    if smiles is None:
        raise RelataskError(
            f"{path} has no column of SMILES; name the one that holds them with --smiles-columns. Columns: "
            f"{', '.join(columns[:20])}."
        )
    if found.long and targets is None:
        return _of_measurements(found, found.long, smiles, splits, task_type, reading)
    taken = {smiles, splits, *ignored}
    kinds = {one.name: one.kind for one in found.columns}
    names = targets or [name for name in found.tasks if name not in taken]
    tasks: dict[str, Kind] = {name: task_type or kinds[name] or "class" for name in names}
    if not tasks:
        raise RelataskError(
            f"{path} has no column of labels beside {smiles!r}: numbers, or a few words; name the columns "
            "with --target-columns."
        )
    reasons = found.left_out | dict.fromkeys(ignored, "--ignore-columns")
    if targets:
        reasons |= {name: "no --target-columns" for name in found.tasks if name not in {*tasks, *taken}}
    return OwnTable(
        path=path,
        n_rows=found.n_rows,
        smiles_column=smiles,
        tasks=tasks,
        n_labels=sum(one.filled for one in found.columns if one.name in tasks),
        id_column=_unless_in(found.id_column, {*tasks, *taken}),
        splits_column=splits,
        reading=reading,
        folds_column=_unless_in(found.split_column, {*tasks, *taken}),
        date_column=_unless_in(found.date_column, {*tasks, *taken}),
        left_out={name: why for name, why in reasons.items() if name not in {*tasks, smiles, splits}},
        units={
            one.name: plain_unit(one.unit)
            for one in found.columns
            if tasks.get(one.name) == "real" and one.unit
        },
        doubts={one.name: one.said for one in found.columns if one.name in tasks and one.odd},
        wide_range=tuple(
            one.name for one in found.columns if tasks.get(one.name) == "real" and one.powers_of_ten >= WIDE
        ),
    )


def require_columns(
    said: str,
    columns: Sequence[str],
    smiles: str | None,
    targets: Sequence[str] | None,
    ignored: Sequence[str],
    splits: str | None,
) -> None:
    """Refuse an option that names none of `columns`; `said` begins the message, "a.csv has no column"."""
    asked = {
        "--smiles-columns": [smiles] if smiles else [],
        "--splits-column": [splits] if splits else [],
        "--target-columns": targets or [],
        "--ignore-columns": ignored,
    }
    for option, names in asked.items():
        for name in names:
            if name not in columns:
                raise RelataskError(f"{said} {name!r} ({option}).{suggest(name, columns)}")


def _of_measurements(
    found: TableDescription,
    long: LongFormat,
    smiles: str,
    splits: str | None,
    task_type: Kind | None,
    reading: Reading,
) -> OwnTable:
    """Return a table with a row for each measurement, of which tasks and molecules are counted."""
    tasks, molecules = set[str](), set[str]()
    for batch in open_table(found.path, reading).batches([long.task_column, smiles]):
        for names, column in ((tasks, long.task_column), (molecules, smiles)):
            names.update(_texts(batch.column(column).unique().to_pylist()))
    kind: Kind = task_type or "real"
    return OwnTable(
        path=found.path,
        n_rows=len(molecules),
        smiles_column=smiles,
        tasks=dict.fromkeys(sorted(tasks), kind),
        n_labels=found.n_rows,
        id_column=found.id_column,
        splits_column=splits,
        date_column=_unless_in(found.date_column, {splits}),
        left_out={name: why for name, why in found.left_out.items() if name not in vars(long).values()},
        long=long,
        reading=reading,
        wide_range=tuple(
            one.name
            for one in found.columns
            if kind == "real" and one.name == long.value_column and one.powers_of_ten >= WIDE
        ),
    )


def _texts(cells: Iterable[object]) -> Iterable[str]:
    return (str(cell).strip() for cell in cells if cell is not None and str(cell).strip())


def _unless_in(name: str | None, taken: Collection[str | None]) -> str | None:
    return None if name in taken else name
