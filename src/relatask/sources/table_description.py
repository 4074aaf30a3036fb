"""What a table of a user's looks like before there is a study: its SMILES, tasks, ids, dates and folds."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from relatask.core.kinds import Kind
from relatask.sources.column_content import FOLDS, Content
from relatask.sources.label_cells import RELATIONS
from relatask.sources.table_files import Reading, TableFile, container_of, open_table
from relatask.sources.units import UNITS, plain_unit

Role = Literal["smiles", "id", "date", "split", "task", "relation", "unit", "left out"]
_FOUND: tuple[Role, ...] = ("split", "date", "id")  # in this order
SMILES: tuple[str, ...] = (
    *("smiles", "canonical_smiles", "canonical smiles", "isomeric_smiles", "structure", "smi", "mol"),
    *("molecule", "molecule_smiles", "compound_smiles", "compound_structure", "rdkit_smiles"),
)
SPLIT = frozenset({"split", "splits", "fold", "folds", "set", "subset", "partition"})
_ID = re.compile(
    r"(.*[\s_.-])?(id|ids|name|names|title|inchi|inchikey|cas|compound|molecule|substance|sample|verbindung"
    r"|substanz|zinc|batch)|chembl_?id",
    re.I,
)
_DATE = re.compile(r".*(date|year|datum|day|time)([\s_.-].*)?", re.I)
_DESCRIPTOR = re.compile(
    r"(mw|mol_?(ecular)?[\s_]?w(eigh)?t|tpsa|psa|hbd|hba|n?_?heavy_?atoms|rotatable.*|#.*)", re.I
)
_UNIT = re.compile(r".*[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*")
_TASK_NAMES: tuple[str, ...] = (
    "assay",
    "assay_name",
    "assay name",
    "task",
    "endpoint",
    "target",
    "target chembl id",
)
_TASK_NAMES += (
    "assay chembl id",
    "target name",
    "assay_id",
    "target_id",
    "parameter",
    "property",
    "standard type",
)
_VALUE_NAMES: tuple[str, ...] = (
    "standard value",
    "value",
    "result",
    "activity",
    "measurement",
    "pchembl value",
    "standard_value",
)
_VALUE_NAMES += ("activity_value", "pchembl_value", "pic50")
_PARSED = 60  # texts of a column that are tried as SMILES


@dataclass(frozen=True)
class ColumnDescription:
    """A column: its role, and of a task the kind of its labels.

    Attributes:
        said: what its cells are, in words; of a column that is left out, why.
        filled: cells that hold something, projected from those that were looked at.
        unit: that its name gives in brackets.
        odd: cells, of those that were looked at, that are no number although most are.
        powers_of_ten: over how many its numbers go, where all are above 0.
    """

    name: str
    role: Role
    said: str
    filled: int
    kind: Kind | None = None
    unit: str | None = None
    odd: int = 0
    powers_of_ten: float = 0.0


@dataclass(frozen=True)
class LongFormat:
    """Columns of a table with a row for each measurement, as the reader `measurements` names them."""

    task_column: str
    value_column: str
    relation_column: str | None = None
    unit_column: str | None = None


@dataclass(frozen=True)
class TableDescription:
    """What was found.

    Attributes:
        container: kind of file, a name of `relatask.sources.containers`.
        facts: encoding, separator and decimal mark of a text, or the sheet of a workbook.
        n_rows: of the file.
        long: where a row is a measurement and not a molecule; then no column is a task.
    """

    path: Path
    container: str
    facts: Mapping[str, Any]
    n_rows: int
    columns: tuple[ColumnDescription, ...]
    smiles_column: str | None = None
    id_column: str | None = None
    date_column: str | None = None
    split_column: str | None = None
    long: LongFormat | None = None

    @property
    def tasks(self) -> dict[str, Kind]:
        """Task column -> kind of its labels, in the order of the file."""
        return {one.name: one.kind for one in self.columns if one.role == "task" and one.kind}

    @property
    def n_labels(self) -> int:
        """Cells of tasks that hold something, as `ColumnDescription.filled`."""
        return sum(one.filled for one in self.columns if one.role == "task")

    @property
    def left_out(self) -> dict[str, str]:
        """Columns that are nothing -> why."""
        return {one.name: one.said for one in self.columns if one.role == "left out"}


def describe_table(
    file: TableFile | str | Path, reading: Reading | None = None, one_of_several: bool = False
) -> TableDescription:
    """Look at a table, at 20,000 cells of each column, and say what each column may be.

    It reads to the end, because a column may be empty far down; memory grows with the columns alone.

    Args:
        file: of any kind that `table_files.open_table` reads, or the table that it returned.
        reading: what is known of it.
        one_of_several: files of one table, each of which may hold the measurements of one task.

    Raises:
        RelataskError: there is no such file, or it cannot be read; never because of what a cell holds.
    """
    table = file if isinstance(file, TableFile) else open_table(file, reading)
    contents, n_rows = _read(table)
    smiles = _smiles_column(contents)
    may_be: dict[Role, list[str]] = {role: _may_be(contents, role, smiles) for role in _FOUND}
    roles: dict[str, Role] = {} if smiles is None else {smiles: "smiles"}
    for role, names in may_be.items():
        if names:
            roles.setdefault(names[0], role)
    long = _long_format(contents, smiles, roles, one_of_several)
    if long and long.relation_column:
        roles[long.relation_column] = "relation"
    if long and long.unit_column:
        roles[long.unit_column] = "unit"
    columns = [_described(name, own, n_rows, roles, long, may_be) for name, own in contents.items()]
    record = container_of(table.path)
    assert record is not None  # it was opened
    by_role = {role: name for name, role in roles.items()}
    return TableDescription(
        path=table.path,
        container=record.name,
        facts=table.facts(),
        n_rows=n_rows,
        columns=tuple(columns),
        smiles_column=smiles,
        id_column=by_role.get("id"),
        date_column=by_role.get("date"),
        split_column=by_role.get("split"),
        long=long,
    )


def _read(table: TableFile) -> tuple[dict[str, Content], int]:
    """Return what the columns hold, and the number of rows."""
    contents = {name: Content() for name in table.names}
    decimal, n_rows = table.facts().get("decimal", "."), 0
    for batch in table.batches(table.names):
        n_rows += batch.num_rows
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            contents[name].add(column, decimal)
    return contents, n_rows


def _may_be(contents: Mapping[str, Content], role: Role, smiles: str | None) -> list[str]:
    """Return the columns that may be the split, the date or the id of a row."""
    found = []
    molecules = len(contents[smiles].texts) if smiles else 0
    for name, content in contents.items():
        if name == smiles:
            continue
        least = min(0.3 * content.filled, 0.5 * molecules or content.filled)  # different names
        plain, words = name.strip().lower(), content.lower()
        folds = bool(words) and words <= FOLDS and len(words) > 1
        numbered = plain in SPLIT and 2 <= len(words) <= 20 and all(text.isdigit() for text in words)
        dates = content.are_dates(_DATE.fullmatch(plain) is not None)
        ids = _ID.fullmatch(name.strip()) is not None and len(words) > least
        if {"split": folds or numbered, "date": dates}.get(role, ids and not dates):
            found.append(name)
    return found


def _smiles_column(contents: Mapping[str, Content]) -> str | None:
    """Return the column of SMILES: by its name, else the first whose texts nearly all are some."""
    by_name = {name.strip().lower(): name for name in reversed(list(contents))}
    named = [by_name[name] for name in SMILES if name in by_name]
    shares = {name: _share_of_smiles(contents[name].texts) for name in named}
    if sure := [name for name in named if shares[name] >= 0.5]:
        return sure[0]
    others = {
        name: _share_of_smiles(content.texts) for name, content in contents.items() if name not in named
    }
    return next((name for name, share in others.items() if share >= 0.9), named[0] if named else None)


def _share_of_smiles(texts: Iterable[str]) -> float:
    """Return which share of some texts are SMILES of three atoms or more."""
    from rdkit import Chem, rdBase

    sample = [text for text, _ in zip(texts, range(_PARSED), strict=False)]
    if not sample or all(text.replace(".", "", 1).isdigit() for text in sample):
        return 0.0
    n_valid = 0
    with rdBase.BlockLogs():
        for text in sample:
            try:
                molecule = Chem.MolFromSmiles(text)
            except (ValueError, RuntimeError):
                continue
            n_valid += molecule is not None and molecule.GetNumAtoms() >= 3
    return n_valid / len(sample)


def _long_format(
    contents: Mapping[str, Content], smiles: str | None, roles: Mapping[str, Role], one_of_several: bool
) -> LongFormat | None:
    """Return the columns of a table with a row for each measurement; None where rows are molecules.

    A column that names one task alone is that of an export where signs or units stand beside the values, or
    which is one of several.
    """
    left = {name: content for name, content in contents.items() if name not in roles}
    by_name = {name.strip().lower(): name for name in reversed(list(left))}
    named = [by_name[name] for name in _TASK_NAMES if name in by_name]
    relation = next((name for name, content in left.items() if _all(content, RELATIONS)), None)
    units = next((name for name in left if _is_unit(name, left[name])), None)
    least = 1 if one_of_several or relation or units else 2
    tasks = [name for name in named if len(left[name].texts) >= least]
    values = [by_name[name] for name in _VALUE_NAMES if name in by_name]
    kinds = {name: content.labels()[0] for name, content in left.items()}
    real = [name for name, kind in kinds.items() if kind == "real" and name not in tasks]
    values = [name for name in values if name in real] or (real if len(real) == 1 else [])
    tasks = [name for name in tasks if not left[name].numbers()[0]]
    if not (tasks and values):
        return None
    repeated = smiles is not None and len(contents[smiles].texts) < 0.9 * contents[smiles].filled
    sure = values[0].strip().lower() in _VALUE_NAMES or len(left[tasks[0]].texts) == 1
    if not (repeated or sure):
        return None
    return LongFormat(tasks[0], values[0], relation, units)


def _all(content: Content, known: frozenset[str]) -> bool:
    return bool(content.texts) and {text.strip("'\" ") for text in content.texts} <= known


def _is_unit(name: str, content: Content) -> bool:
    named = re.search(r"\bunits?\b", name.replace("_", " "), re.I) is not None
    return bool(content.texts) and (named or {plain_unit(text) for text in content.texts} <= UNITS)


def _described(
    name: str,
    content: Content,
    n_rows: int,
    roles: Mapping[str, Role],
    long: LongFormat | None,
    may_be: Mapping[Role, Sequence[str]],
) -> ColumnDescription:
    """Return what a column is."""
    kind, said = content.labels()
    found = _UNIT.fullmatch(name)
    unit = found[1] if found and plain_unit(found[1]) in UNITS else None
    filled = round(content.filled * n_rows / max(1, content.rows))
    if name in roles:
        return ColumnDescription(name, roles[name], said, filled)
    powers = content.powers_of_ten()
    again = next((role for role, names in may_be.items() if name in names), None)
    reason = None
    if long is not None:
        kind, reason = None, "the table has a row for each measurement"
        if name in (long.task_column, long.value_column):
            reason = "it names the task" if name == long.task_column else f"it holds the values: {said}"
    elif again:
        reason = f"another column of the kind {again}"
    else:
        reason = _no_task(name, content, None if kind else said)
    if reason:
        return ColumnDescription(name, "left out", reason, filled, powers_of_ten=powers)
    return ColumnDescription(name, "task", said, filled, kind, unit, content.odd(), powers)


def _no_task(name: str, content: Content, said: str | None) -> str | None:
    """Return why a column of a table of molecules is no task, `said` where it holds no labels, or None."""
    if _all(content, RELATIONS):
        return "signs such as > beside the values of another column; write them before these, as in >10"
    if content.number_rows():
        return "it numbers the rows"
    if _DESCRIPTOR.fullmatch(name.strip()):
        return "a property of the structure and no measurement"
    if said is None and len(content.texts) == 1:
        return f"all its cells are {next(iter(content.texts))[:30]!r}"
    return said
